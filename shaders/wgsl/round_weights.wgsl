// Rounds a matrix to four bits, in place: each column has a scale of a seventh of its largest
// weight.
//
// One invocation: one column. Twin: round_weights in the trainer's cpu/round_weights.rs.

override MATRIX: u32 = 0u;
override K: u32 = 1u;
override N: u32 = 1u;

const LARGEST_INT4 = 7.0f;
// The smallest positive number that isn't subnormal.
const SMALLEST = 1.17549435e-38f;

@group(0) @binding(0) var<storage, read_write> parameters: array<f32>;    // [K, N] in it

@compute @workgroup_size(ELEMENT_LANES)
fn round_weights(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let column = invocation.x;
    if column >= N {
        return;
    }
    var largest = LARGEST_INT4 * SMALLEST;
    for (var row = 0u; row < K; row++) {
        largest = max(largest, abs(parameters[MATRIX + row * N + column]));
    }
    let scale = largest / LARGEST_INT4;
    for (var row = 0u; row < K; row++) {
        let element = MATRIX + row * N + column;
        parameters[element] = scale * round(parameters[element] / scale);
    }
}
