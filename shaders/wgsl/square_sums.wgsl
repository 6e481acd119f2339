// The squares of all gradients (or parameters), summed in SQUARE_SUMS parts.
//
// One invocation: one part, every SQUARE_SUMS-th element. First half of the trainer's
// cpu/global_norm.rs.

override COUNT: u32 = 1u;

@group(0) @binding(0) var<storage, read> values: array<f32>;              // all parameters'
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;          // [SQUARE_SUMS]

const SQUARE_SUMS = 4096u;

@compute @workgroup_size(ELEMENT_LANES)
fn square_sums(@builtin(global_invocation_id) invocation: vec3<u32>) {
    if invocation.x >= SQUARE_SUMS {
        return;
    }
    var sum = 0.0;
    for (var element = invocation.x; element < COUNT; element += SQUARE_SUMS) {
        sum += values[element] * values[element];
    }
    sums[invocation.x] = sum;
}
