// Sums that a workgroup cuts into slices: each of its rows of invocations computes one slice of all
// its sums, and then finishes some of them.
//
// A kernel that includes this file defines the size of its workgroup, LANES by SLICES, and the
// number of matrices of four by four sums per invocation, OUTER by INNER.
alias Sums = array<array<mat4x4<f32>, INNER>, OUTER>;

// Columns of sums per invocation.
const TILE = 4u * OUTER * INNER;

var<workgroup> slice_sums: array<vec4<f32>, SLICES * TILE * LANES>;

// The index of a matrix column among all columns of an invocation.
fn sum_number(outer: u32, inner: u32, column: u32) -> u32 {
    return 4u * (outer * INNER + inner) + column;
}

// Stores a slice's sums in workgroup memory; with one slice, an invocation only reads its own.
fn share(sums: Sums, lane: u32, slice: u32) {
    for (var outer = 0u; outer < OUTER; outer++) {
        for (var inner = 0u; inner < INNER; inner++) {
            for (var column = 0u; column < 4u; column++) {
                let number = sum_number(outer, inner, column);
                slice_sums[(slice * TILE + number) * LANES + lane] = sums[outer][inner][column];
            }
        }
    }
    if SLICES > 1u {
        workgroupBarrier();
    }
}

// Adds all slices of one column in order.
fn sum_of_slices(number: u32, lane: u32) -> vec4<f32> {
    var total: vec4<f32>;
    for (var slice = 0u; slice < SLICES; slice++) {
        total += slice_sums[(slice * TILE + number) * LANES + lane];
    }
    return total;
}
