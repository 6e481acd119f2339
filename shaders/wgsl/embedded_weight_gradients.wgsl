// The gradient of the input weights after an embedding, from that of each character's.
//
// One invocation: one column of four rows. Twin: embedded_weight_gradients in the trainer's
// cpu/embedded_weight_gradients.rs.

// E.
override WIDTH: u32 = 1u;
// Offsets of the embedding among the parameters, and of W_ih among the gradients.
override EMBEDDING: u32 = 0u;
override W_IH: u32 = 0u;

@group(0) @binding(0) var<storage, read> d_rows: array<f32>;              // [V, 4H]
@group(0) @binding(1) var<storage, read> parameters: array<f32>;          // [V, E] in it
@group(0) @binding(2) var<storage, read_write> gradients: array<f32>;     // [E, 4H] in it

@compute @workgroup_size(ELEMENT_LANES)
fn embedded_weight_gradients(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let columns = GATES * HIDDEN;
    let column = invocation.x;
    if column >= columns {
        return;
    }
    let rows = 4u * invocation.y + vec4(0u, 1u, 2u, 3u);
    // Beyond the last row, its elements are read again, and the sum isn't used.
    let elements = EMBEDDING + min(rows, vec4(WIDTH - 1u));
    var sums = vec4(0.0);
    for (var token = 0u; token < VOCABULARY; token++) {
        let of_token = elements + token * WIDTH;
        let embedding = vec4(
            parameters[of_token.x],
            parameters[of_token.y],
            parameters[of_token.z],
            parameters[of_token.w],
        );
        sums += embedding * d_rows[token * columns + column];
    }
    for (var component = 0u; component < 4u && rows[component] < WIDTH; component++) {
        gradients[W_IH + rows[component] * columns + column] = sums[component];
    }
}
