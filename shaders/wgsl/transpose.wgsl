// A matrix once more, transposed: the backward pass reads along its columns.
//
// One invocation: one element. Twin: transpose in the trainer's cpu/matmul.rs.

override ROWS: u32 = 1u;
override COLUMNS: u32 = 1u;
override MATRIX: u32 = 0u;
override TRANSPOSED: u32 = 0u;

@group(0) @binding(0) var<storage, read> parameters: array<f32>;          // [ROWS, COLUMNS] in it
@group(0) @binding(1) var<storage, read_write> transposes: array<f32>;    // [COLUMNS, ROWS] in it

@compute @workgroup_size(ELEMENT_LANES)
fn transpose(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let row = invocation.x;
    let column = invocation.y;
    if row < ROWS {
        transposes[TRANSPOSED + column * ROWS + row] = parameters[MATRIX + row * COLUMNS + column];
    }
}
