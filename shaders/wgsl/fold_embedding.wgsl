// The input weights of each character: its embedding times the input weights of layer 0.
//
// One invocation: one column of one token's row. Twin: fold_embedding in the trainer's
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
    let token = invocation.y;
    if column >= columns {
        return;
    }
    var sum = 0.0;
    for (var k = 0u; k < WIDTH; k++) {
        sum += parameters[EMBEDDING + token * WIDTH + k] * parameters[W_IH + k * columns + column];
    }
    effective[ROWS + token * columns + column] = sum;
}
