// Drops some of a layer's outputs, or of their gradients.
//
// One invocation: four rows of the batch of one unit at one step. Twin: dropout in the trainer's
// cpu/dropout.rs.

// Index of the layer's first element among the outputs of all layers [L, T, B, H], modulo 2^32.
override FIRST_ELEMENT: u32 = 0u;
// The step of x that corresponds to step 0 of the result.
override FIRST_STEP: u32 = 0u;

@group(0) @binding(0) var<uniform> dropout_now: Dropout;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;             // [T, H, B/4]
@group(0) @binding(2) var<storage, read_write> dropped: array<vec4<f32>>; // [T, H, B/4]

@compute @workgroup_size(ELEMENT_LANES)
fn dropout(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let unit = invocation.x / batch_vectors();
    let vector = invocation.x % batch_vectors();
    let t = invocation.y;
    if unit >= HIDDEN {
        return;
    }
    let rows = 4u * vector + vec4(0u, 1u, 2u, 3u);
    let elements = FIRST_ELEMENT + (t * BATCH + rows) * HIDDEN + unit;
    let values = x[activation_index(FIRST_STEP + t, HIDDEN, unit, vector)];
    let factors = dropout_factors(elements, dropout_now);
    dropped[activation_index(t, HIDDEN, unit, vector)] = factors * values;
}
