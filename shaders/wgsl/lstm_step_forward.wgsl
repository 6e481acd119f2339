// One step of one layer: gates, cell state and hidden state.
//
// One invocation: the four gates of FORWARD_GROUPS units, some rows of the batch, one slice of H;
// then the cells of some of these. Twin: LstmStepForward in the trainer's cpu/lstm_step_forward.rs.

override IS_FIRST_LAYER: bool = true;
override W_IH: u32 = 0u;
override B: u32 = 0u;

@group(0) @binding(0) var<uniform> step: Step;                            // t
@group(0) @binding(1) var<storage, read> packed: array<vec4<f32>>;        // W_hh: [H, H] of 4 gates
@group(0) @binding(2) var<storage, read> parameters: array<f32>;          // all parameters
@group(0) @binding(3) var<storage, read> inputs: array<vec4<u32>>;        // [T, B/4]
@group(0) @binding(4) var<storage, read_write> gates: array<vec4<f32>>;   // [T, 4H, B/4]
@group(0) @binding(5) var<storage, read_write> cell: array<vec4<f32>>;    // [T + 1, H, B/4]
@group(0) @binding(6) var<storage, read_write> hidden: array<vec4<f32>>;  // [T + 1, H, B/4]

// How a workgroup and its sums are cut, see common/slices.wgsl.
const LANES = FORWARD_LANES;
const SLICES = FORWARD_SLICES;
const OUTER = FORWARD_GROUPS;
const INNER = FORWARD_VECTORS;

@compute @workgroup_size(FORWARD_LANES, FORWARD_SLICES)
fn lstm_step_forward(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let first_unit = workgroup.x * FORWARD_LANES * FORWARD_GROUPS + local.x;
    let first_vector = workgroup.y * FORWARD_VECTORS;
    let sums = slice_of_product(first_unit, first_vector, local.y);
    share(sums, local.x, local.y);
    for (var u = 0u; u < FORWARD_GROUPS; u++) {
        for (var v = 0u; v < FORWARD_VECTORS; v++) {
            let unit = first_unit + u * FORWARD_LANES;
            let vector = first_vector + v;
            let is_own = (u * FORWARD_VECTORS + v) % FORWARD_SLICES == local.y;
            if is_own && unit < HIDDEN && vector < batch_vectors() {
                finish(unit, vector, products(u, v, local.x));
            }
        }
    }
}

// One slice of H W_hh. Units and rows beyond the last are computed like the last.
fn slice_of_product(first_unit: u32, first_vector: u32, slice: u32) -> Sums {
    var sums: Sums;
    let end = slice_start(HIDDEN, FORWARD_SLICES, slice + 1u);
    for (var k = slice_start(HIDDEN, FORWARD_SLICES, slice); k < end; k++) {
        var h: array<vec4<f32>, FORWARD_VECTORS>;
        for (var v = 0u; v < FORWARD_VECTORS; v++) {
            let vector = min(first_vector + v, batch_vectors() - 1u);
            h[v] = hidden[activation_index(step.t, HIDDEN, k, vector)];
        }
        for (var u = 0u; u < FORWARD_GROUPS; u++) {
            let unit = min(first_unit + u * FORWARD_LANES, HIDDEN - 1u);
            let w = packed[k * HIDDEN + unit];
            for (var v = 0u; v < FORWARD_VECTORS; v++) {
                sums[u][v] += outer_product(h[v], w);
            }
        }
    }
    return sums;
}

// H W_hh of one unit and four rows, one column per gate.
fn products(u: u32, v: u32, lane: u32) -> mat4x4<f32> {
    return mat4x4(
        sum_of_slices(sum_number(u, v, 0u), lane),
        sum_of_slices(sum_number(u, v, 1u), lane),
        sum_of_slices(sum_number(u, v, 2u), lane),
        sum_of_slices(sum_number(u, v, 3u), lane),
    );
}

// Computes the gates, cell state and hidden state of one unit and four rows from H W_hh.
fn finish(unit: u32, vector: u32, sums: mat4x4<f32>) {
    let i = sigmoid(sums[INPUT_GATE] + input_part(INPUT_GATE, unit, vector));
    let f = sigmoid(sums[FORGET_GATE] + input_part(FORGET_GATE, unit, vector));
    let g = hyperbolic_tangent(sums[CANDIDATE_GATE] + input_part(CANDIDATE_GATE, unit, vector));
    let o = sigmoid(sums[OUTPUT_GATE] + input_part(OUTPUT_GATE, unit, vector));
    let c = f * cell[activation_index(step.t, HIDDEN, unit, vector)] + i * g;
    gates[gate_index(step.t, INPUT_GATE, unit, vector)] = i;
    gates[gate_index(step.t, FORGET_GATE, unit, vector)] = f;
    gates[gate_index(step.t, CANDIDATE_GATE, unit, vector)] = g;
    gates[gate_index(step.t, OUTPUT_GATE, unit, vector)] = o;
    cell[activation_index(step.t + 1u, HIDDEN, unit, vector)] = c;
    hidden[activation_index(step.t + 1u, HIDDEN, unit, vector)] = o * hyperbolic_tangent(c);
}

// X W_ih + b of one gate: a row look-up in the first layer; above, the result of `project`.
fn input_part(gate: u32, unit: u32, vector: u32) -> vec4<f32> {
    if !IS_FIRST_LAYER {
        return gates[gate_index(step.t, gate, unit, vector)];
    }
    let column = gate_column(gate, unit);
    let rows = W_IH + inputs[step.t * batch_vectors() + vector] * GATES * HIDDEN + column;
    let w_ih = vec4(parameters[rows.x], parameters[rows.y], parameters[rows.z], parameters[rows.w]);
    return w_ih + parameters[B + column];
}
