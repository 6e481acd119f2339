// The gradient of the embedding, from that of each character's input weights.
//
// One invocation: four elements of four tokens. Twin: embedding_gradients in the trainer's
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
    let elements = 4u * invocation.x + vec4(0u, 1u, 2u, 3u);
    let tokens = 4u * invocation.y + vec4(0u, 1u, 2u, 3u);
    if elements.x >= WIDTH {
        return;
    }
    // Beyond the last element or token, it is read again, and the sum isn't used.
    let weights = W_IH + columns * min(elements, vec4(WIDTH - 1u));
    let rows = columns * min(tokens, vec4(VOCABULARY - 1u));
    var sums = mat4x4<f32>();
    for (var column = 0u; column < columns; column++) {
        let d = vec4(
            d_rows[rows.x + column],
            d_rows[rows.y + column],
            d_rows[rows.z + column],
            d_rows[rows.w + column],
        );
        let w = vec4(
            parameters[weights.x + column],
            parameters[weights.y + column],
            parameters[weights.z + column],
            parameters[weights.w + column],
        );
        sums += outer_product(w, d);
    }
    for (var row = 0u; row < 4u && tokens[row] < VOCABULARY; row++) {
        for (var component = 0u; component < 4u && elements[component] < WIDTH; component++) {
            let element = EMBEDDING + tokens[row] * WIDTH + elements[component];
            gradients[element] = sums[row][component];
        }
    }
}
