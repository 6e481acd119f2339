// The gradient of the first layer's input weights: a one-hot input picks a row.
//
// One invocation: one column of one token's row, summed over the predictions that read this token,
// in the order in which the host sorted them. Twin: input_weight_gradients in the trainer's
// cpu/input_weight_gradients.rs.

override GRADIENT: u32 = 0u;

@group(0) @binding(0) var<storage, read> row_starts: array<u32>;          // [V + 1]
@group(0) @binding(1) var<storage, read> rows: array<u32>;                // [T, B]: t 4 (B/4) + b
@group(0) @binding(2) var<storage, read> d_gates: array<f32>;             // [T, 4H, 4 (B/4)]
@group(0) @binding(3) var<storage, read_write> gradients: array<f32>;     // [V, 4H]

@compute @workgroup_size(ELEMENT_LANES)
fn input_weight_gradients(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let columns = GATES * HIDDEN;
    let column = invocation.x;
    let token = invocation.y;
    if column >= columns {
        return;
    }
    let row_length = 4u * batch_vectors();
    var sum = 0.0;
    for (var entry = row_starts[token]; entry < row_starts[token + 1u]; entry++) {
        let t = rows[entry] / row_length;
        let b = rows[entry] % row_length;
        sum += d_gates[(t * columns + column) * row_length + b];
    }
    gradients[GRADIENT + token * columns + column] = sum;
}
