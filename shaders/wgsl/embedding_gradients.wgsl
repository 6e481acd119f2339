// The gradient of the embedding, from that of each character's input weights.
//
// One invocation: one element. Twin: embedding_gradients in the trainer's
// cpu/embedding_gradients.rs.

// E.
override WIDTH: u32 = 1u;
// Offsets of W_ih among the parameters, and of the embedding among the gradients.
override W_IH: u32 = 0u;
override EMBEDDING: u32 = 0u;

@group(0) @binding(0) var<storage, read> d_rows: array<f32>;              // [V, 4H]
@group(0) @binding(1) var<storage, read> parameters: array<f32>;          // [E, 4H] in it
@group(0) @binding(2) var<storage, read_write> gradients: array<f32>;     // [V, E] in it

@compute @workgroup_size(ELEMENT_LANES)
fn embedding_gradients(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let columns = GATES * HIDDEN;
    let k = invocation.x;
    let token = invocation.y;
    if k >= WIDTH {
        return;
    }
    var sum = 0.0;
    for (var column = 0u; column < columns; column++) {
        sum += d_rows[token * columns + column] * parameters[W_IH + k * columns + column];
    }
    gradients[EMBEDDING + token * WIDTH + k] = sum;
}
