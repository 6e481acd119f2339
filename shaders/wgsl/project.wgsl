// A product over all steps, or over some of them: for the output layer, the input of an upper
// layer, and the gradients of both.
//
// One invocation: PROJECT_GROUPS times four columns of the result, some rows of the batch, one
// slice of K, at one step. Twin: Project in the trainer's cpu/project.rs.

override K: u32 = 1u;
override N: u32 = 1u;
override HAS_BIAS: bool = false;
override BIAS: u32 = 0u;
// The step of x that corresponds to step 0 of the result.
override FIRST_STEP: u32 = 0u;

@group(0) @binding(0) var<uniform> step: Step;                            // the first step
@group(0) @binding(1) var<storage, read> packed: array<vec4<f32>>;        // [K, N/4]
@group(0) @binding(2) var<storage, read> parameters: array<f32>;          // all; the bias: [N]
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;             // [T, K, B/4]
@group(0) @binding(4) var<storage, read_write> product: array<vec4<f32>>; // [T, N, B/4]

// How a workgroup and its sums are cut, see common/slices.wgsl.
const LANES = PROJECT_LANES;
const SLICES = PROJECT_SLICES;
const OUTER = PROJECT_GROUPS;
const INNER = PROJECT_VECTORS;

@compute @workgroup_size(PROJECT_LANES, PROJECT_SLICES)
fn project(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let first_group = workgroup.x * PROJECT_LANES * PROJECT_GROUPS + local.x;
    let first_vector = workgroup.y * PROJECT_VECTORS;
    let t = step.t + workgroup.z;
    if t >= NUM_STEPS {
        return;
    }
    let sums = slice_of_product(first_group, first_vector, t, local.y);
    share(sums, local.x, local.y);
    for (var g = 0u; g < PROJECT_GROUPS; g++) {
        for (var v = 0u; v < PROJECT_VECTORS; v++) {
            for (var c = 0u; c < 4u; c++) {
                let column = 4u * (first_group + g * PROJECT_LANES) + c;
                let vector = first_vector + v;
                let number = sum_number(g, v, c);
                let is_own = number % PROJECT_SLICES == local.y;
                if is_own && column < N && vector < batch_vectors() {
                    var sum = sum_of_slices(number, local.x);
                    if HAS_BIAS {
                        sum += parameters[BIAS + column];
                    }
                    product[activation_index(t, N, column, vector)] = sum;
                }
            }
        }
    }
}

// One slice of the product at step t. Columns and rows beyond the last are computed like the last.
fn slice_of_product(first_group: u32, first_vector: u32, t: u32, slice: u32) -> Sums {
    var sums: Sums;
    let groups = (N + 3u) / 4u;
    let end = slice_start(K, PROJECT_SLICES, slice + 1u);
    for (var k = slice_start(K, PROJECT_SLICES, slice); k < end; k++) {
        var x_here: array<vec4<f32>, PROJECT_VECTORS>;
        for (var v = 0u; v < PROJECT_VECTORS; v++) {
            let vector = min(first_vector + v, batch_vectors() - 1u);
            x_here[v] = x[activation_index(FIRST_STEP + t, K, k, vector)];
        }
        for (var g = 0u; g < PROJECT_GROUPS; g++) {
            let group = min(first_group + g * PROJECT_LANES, groups - 1u);
            let w = packed[k * groups + group];
            for (var v = 0u; v < PROJECT_VECTORS; v++) {
                sums[g][v] += outer_product(x_here[v], w);
            }
        }
    }
    return sums;
}
