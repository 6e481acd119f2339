// The gradient of a matrix over all steps and rows, and of the bias that follows it.
//
// One invocation: GRADIENT_ROWS by GRADIENT_COLUMNS elements, one slice of the steps. A bias is one
// more row of the matrix, whose input is always 1. Twin: weight_gradients in the trainer's
// cpu/weight_gradients.rs.

override M: u32 = 1u;
override N: u32 = 1u;
override HAS_BIAS: bool = false;
override GRADIENT: u32 = 0u;
// The step of x that belongs to step 0 of d.
override FIRST_STEP: u32 = 0u;

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;             // [T, M, B/4]
@group(0) @binding(1) var<storage, read> d: array<vec4<f32>>;             // [T, N, B/4]
@group(0) @binding(2) var<storage, read_write> gradients: array<f32>;     // [M, N] and [N]

const TILE = GRADIENT_ROWS * GRADIENT_COLUMNS;

var<workgroup> slice_sums: array<f32, GRADIENT_SLICES * TILE * GRADIENT_LANES>;

@compute @workgroup_size(GRADIENT_LANES, GRADIENT_SLICES)
fn weight_gradients(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let first_row = workgroup.y * GRADIENT_ROWS;
    let first_column = workgroup.x * GRADIENT_COLUMNS * GRADIENT_LANES + local.x;
    var sums = slice_of_product(first_row, first_column, local.y);

    if GRADIENT_SLICES > 1u {
        for (var element = 0u; element < TILE; element++) {
            slice_sums[(local.y * TILE + element) * GRADIENT_LANES + local.x] = sums[element];
        }
        workgroupBarrier();
    }
    for (var element = local.y; element < TILE; element += GRADIENT_SLICES) {
        var sum = sums[element];
        if GRADIENT_SLICES > 1u {
            sum = 0.0;
            for (var slice = 0u; slice < GRADIENT_SLICES; slice++) {
                sum += slice_sums[(slice * TILE + element) * GRADIENT_LANES + local.x];
            }
        }
        let row = first_row + element / GRADIENT_COLUMNS;
        let column = first_column + element % GRADIENT_COLUMNS * GRADIENT_LANES;
        if row < M + u32(HAS_BIAS) && column < N {
            gradients[GRADIENT + row * N + column] = sum;
        }
    }
}

// One slice of the steps of x transposed, times d: [GRADIENT_ROWS, GRADIENT_COLUMNS].
fn slice_of_product(first_row: u32, first_column: u32, slice: u32) -> array<f32, TILE> {
    var sums: array<f32, TILE>;
    let end = slice_start(NUM_STEPS, GRADIENT_SLICES, slice + 1u);
    for (var t = slice_start(NUM_STEPS, GRADIENT_SLICES, slice); t < end; t++) {
        for (var vector = 0u; vector < batch_vectors(); vector++) {
            var d_here: array<vec4<f32>, GRADIENT_COLUMNS>;
            for (var c = 0u; c < GRADIENT_COLUMNS; c++) {
                let column = min(first_column + c * GRADIENT_LANES, N - 1u);
                d_here[c] = d[activation_index(t, N, column, vector)];
            }
            for (var r = 0u; r < GRADIENT_ROWS; r++) {
                let row = min(first_row + r, M - 1u);
                var x_here = x[activation_index(FIRST_STEP + t, M, row, vector)];
                if HAS_BIAS && first_row + r == M {
                    x_here = vec4(1.0);
                }
                for (var c = 0u; c < GRADIENT_COLUMNS; c++) {
                    sums[r * GRADIENT_COLUMNS + c] += dot(x_here, d_here[c]);
                }
            }
        }
    }
    return sums;
}
