// The input weights of each character: its embedding times the input weights of layer 0.
//
// One invocation: one column of the rows of four tokens. Twin: fold_embedding in the trainer's
// cpu/fold_embedding.rs.

// E.
override WIDTH: u32 = 1u;
// Offsets of the embedding and of W_ih among the parameters, and of the rows in the result.
override EMBEDDING: u32 = 0u;
override W_IH: u32 = 0u;
override ROWS: u32 = 0u;

@group(0) @binding(0) var<storage, read> parameters: array<f32>;          // [V, E], [E, 4H] in it
@group(0) @binding(1) var<storage, read_write> effective: array<f32>;     // [V, 4H] in it

@compute @workgroup_size(ELEMENT_LANES)
fn fold_embedding(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let columns = GATES * HIDDEN;
    let column = invocation.x;
    if column >= columns {
        return;
    }
    let tokens = 4u * invocation.y + vec4(0u, 1u, 2u, 3u);
    // Beyond the last token, its embedding is read again, and the sum isn't used.
    let rows = EMBEDDING + WIDTH * min(tokens, vec4(VOCABULARY - 1u));
    var sums = vec4(0.0);
    for (var k = 0u; k < WIDTH; k++) {
        let elements = vec4(
            parameters[rows.x + k],
            parameters[rows.y + k],
            parameters[rows.z + k],
            parameters[rows.w + k],
        );
        sums += elements * parameters[W_IH + k * columns + column];
    }
    for (var component = 0u; component < 4u && tokens[component] < VOCABULARY; component++) {
        effective[ROWS + tokens[component] * columns + column] = sums[component];
    }
}
