// A product over all steps: the output layer, the input of an upper layer, and the gradients of
// both.
//
// One invocation: one column of the result, some rows of the batch, one slice of K, at one step.
// Twin: matmul in the trainer's cpu/matmul.rs.

override K: u32 = 1u;
override N: u32 = 1u;
override WEIGHTS: u32 = 0u;
override HAS_BIAS: bool = false;
override BIAS: u32 = 0u;
// The step of x that belongs to the result's step 0.
override FIRST_STEP: u32 = 0u;

@group(0) @binding(0) var<storage, read> weights: array<f32>;             // [K, N] and [N]
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;             // [T, K, B/4]
@group(0) @binding(2) var<storage, read_write> product: array<vec4<f32>>; // [T, N, B/4]

var<workgroup> slice_sums: array<vec4<f32>, STEP_SLICES * STEP_VECTORS * STEP_LANES>;

@compute @workgroup_size(STEP_LANES, STEP_SLICES)
fn project(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    // Columns and rows beyond the last are computed as the last, and not written.
    let column = workgroup.x * STEP_LANES + local.x;
    let last_column = min(column, N - 1u);
    let first_vector = workgroup.y * STEP_VECTORS;
    let t = workgroup.z;
    var sums: array<vec4<f32>, STEP_VECTORS>;
    let end = slice_start(K, STEP_SLICES, local.y + 1u);
    for (var k = slice_start(K, STEP_SLICES, local.y); k < end; k++) {
        let w = weights[WEIGHTS + k * N + last_column];
        for (var v = 0u; v < STEP_VECTORS; v++) {
            let vector = min(first_vector + v, batch_vectors() - 1u);
            sums[v] += w * x[activation_index(FIRST_STEP + t, K, k, vector)];
        }
    }

    if STEP_SLICES > 1u {
        for (var v = 0u; v < STEP_VECTORS; v++) {
            slice_sums[(local.y * STEP_VECTORS + v) * STEP_LANES + local.x] = sums[v];
        }
        workgroupBarrier();
    }
    for (var v = local.y; v < STEP_VECTORS; v += STEP_SLICES) {
        var sum = sums[v];
        if STEP_SLICES > 1u {
            sum = vec4(0.0);
            for (var slice = 0u; slice < STEP_SLICES; slice++) {
                sum += slice_sums[(slice * STEP_VECTORS + v) * STEP_LANES + local.x];
            }
        }
        if HAS_BIAS {
            sum += weights[BIAS + last_column];
        }
        if column < N && first_vector + v < batch_vectors() {
            product[activation_index(t, N, column, first_vector + v)] = sum;
        }
    }
}
