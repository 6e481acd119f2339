// The gradient of a matrix over all steps and rows, and of the bias that follows it. A dispatch
// handles SPAN steps, and adds to the results of earlier dispatches.
//
// One invocation: GRADIENT_ROWS by GRADIENT_COLUMNS blocks of four by four elements, one slice of
// the steps. A bias is one more row of the matrix, whose input is always 1. Twin: weight_gradients
// in the trainer's cpu/weight_gradients.rs.

override M: u32 = 1u;
override N: u32 = 1u;
override HAS_BIAS: bool = false;
override GRADIENT: u32 = 0u;
override SPAN: u32 = 1u;
// The step of x that corresponds to step 0 of d.
override FIRST_STEP: u32 = 0u;

@group(0) @binding(0) var<uniform> step: Step;                            // the first step
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;             // [T, M, B/4]
@group(0) @binding(2) var<storage, read> d: array<vec4<f32>>;             // [T, N, B/4]
@group(0) @binding(3) var<storage, read_write> gradients: array<f32>;     // [M, N] and [N]

// How a workgroup and its sums are cut, see common/slices.wgsl.
const LANES = GRADIENT_LANES;
const SLICES = GRADIENT_SLICES;
const OUTER = GRADIENT_ROWS;
const INNER = GRADIENT_COLUMNS;

@compute @workgroup_size(GRADIENT_LANES, GRADIENT_SLICES)
fn weight_gradients(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let first_row = workgroup.y * 4u * GRADIENT_ROWS;
    let first_column = workgroup.x * 4u * GRADIENT_COLUMNS * GRADIENT_LANES + local.x;
    let sums = slice_of_product(first_row, first_column, local.y);
    share(sums, local.x, local.y);
    for (var r = 0u; r < GRADIENT_ROWS; r++) {
        for (var c = 0u; c < GRADIENT_COLUMNS; c++) {
            for (var i = 0u; i < 4u; i++) {
                let column = first_column + (4u * c + i) * GRADIENT_LANES;
                let number = sum_number(r, c, i);
                if number % GRADIENT_SLICES == local.y && column < N {
                    add(first_row + 4u * r, column, sum_of_slices(number, local.x));
                }
            }
        }
    }
}

// One slice of the steps of x transposed, times d. Rows and columns beyond the last are computed
// like the last.
fn slice_of_product(first_row: u32, first_column: u32, slice: u32) -> Sums {
    var sums: Sums;
    let count = min(SPAN, NUM_STEPS - step.t);
    let end = step.t + slice_start(count, GRADIENT_SLICES, slice + 1u);
    for (var t = step.t + slice_start(count, GRADIENT_SLICES, slice); t < end; t++) {
        for (var vector = 0u; vector < batch_vectors(); vector++) {
            var x_here: array<mat4x4<f32>, GRADIENT_ROWS>;
            for (var r = 0u; r < GRADIENT_ROWS; r++) {
                for (var i = 0u; i < 4u; i++) {
                    x_here[r][i] = input(first_row + 4u * r + i, t, vector);
                }
            }
            for (var c = 0u; c < GRADIENT_COLUMNS; c++) {
                for (var i = 0u; i < 4u; i++) {
                    let column = min(first_column + (4u * c + i) * GRADIENT_LANES, N - 1u);
                    let d_here = d[activation_index(t, N, column, vector)];
                    for (var r = 0u; r < GRADIENT_ROWS; r++) {
                        sums[r][c][i] += d_here * x_here[r];
                    }
                }
            }
        }
    }
    return sums;
}

// Four rows of the batch of x's column `row`; 1 for the bias.
fn input(row: u32, t: u32, vector: u32) -> vec4<f32> {
    let inputs = x[activation_index(FIRST_STEP + t, M, min(row, M - 1u), vector)];
    return select(inputs, vec4(1.0), HAS_BIAS && row == M);
}

// Adds to the gradients of one column and four rows, starting at `first_row`.
fn add(first_row: u32, column: u32, sum: vec4<f32>) {
    for (var i = 0u; i < 4u; i++) {
        let row = first_row + i;
        if row < M + u32(HAS_BIAS) {
            let element = GRADIENT + row * N + column;
            var gradient = sum[i];
            if step.t > 0u {
                gradient += gradients[element];
            }
            gradients[element] = gradient;
        }
    }
}
