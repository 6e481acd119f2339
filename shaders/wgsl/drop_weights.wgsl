// Drops some recurrent weights, or their gradients, in place.
//
// One invocation: every INVOCATIONS-th weight. Twin: drop_weights in the trainer's
// cpu/drop_weights.rs.

override MATRIX: u32 = 0u;
override COUNT: u32 = 1u;
// Index of the first weight among those of all layers.
override FIRST_ELEMENT: u32 = 0u;

@group(0) @binding(0) var<uniform> dropout_now: Dropout;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;        // [H, 4H] in it

@compute @workgroup_size(ELEMENT_LANES)
fn drop_weights(
    @builtin(global_invocation_id) invocation: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    for (var element = invocation.x; element < COUNT; element += workgroups.x * ELEMENT_LANES) {
        values[MATRIX + element] *= dropout_factors(vec4(FIRST_ELEMENT + element), dropout_now).x;
    }
}
