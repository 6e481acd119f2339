// The squares of all gradients (or parameters), in SQUARE_SUM_COUNT partial sums.
//
// One invocation: one partial sum, of every SQUARE_SUM_COUNT-th element. Twin: square_sums in the
// trainer's cpu/square_sums.rs.

override COUNT: u32 = 1u;

@group(0) @binding(0) var<storage, read> values: array<f32>;              // of all parameters
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;          // [SQUARE_SUM_COUNT]

@compute @workgroup_size(ELEMENT_LANES)
fn square_sums(@builtin(global_invocation_id) invocation: vec3<u32>) {
    if invocation.x >= SQUARE_SUM_COUNT {
        return;
    }
    var sum = 0.0;
    for (var element = invocation.x; element < COUNT; element += SQUARE_SUM_COUNT) {
        sum += values[element] * values[element];
    }
    sums[invocation.x] = sum;
}
