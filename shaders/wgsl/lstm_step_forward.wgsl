// One step of one layer: gates, cell state and hidden state.
//
// One invocation: the four gates of one unit, some rows of the batch, one slice of H; then the cell
// of some of these rows. Twin: LstmStepForward in the trainer's cpu/lstm_step_forward.rs.

override IS_FIRST_LAYER: bool = true;
override W_IH: u32 = 0u;
override W_HH: u32 = 0u;
override B: u32 = 0u;

@group(0) @binding(0) var<uniform> step: Step;                            // t
@group(0) @binding(1) var<storage, read> parameters: array<f32>;          // all parameters
@group(0) @binding(2) var<storage, read> inputs: array<vec4<u32>>;        // [T, B/4]
@group(0) @binding(3) var<storage, read_write> gates: array<vec4<f32>>;   // [T, 4H, B/4]
@group(0) @binding(4) var<storage, read_write> cell: array<vec4<f32>>;    // [T + 1, H, B/4]
@group(0) @binding(5) var<storage, read_write> hidden: array<vec4<f32>>;  // [T + 1, H, B/4]

struct Step {
    t: u32,
}

const UNIT_SUMS = GATES * STEP_VECTORS;

var<workgroup> slice_sums: array<vec4<f32>, STEP_SLICES * UNIT_SUMS * STEP_LANES>;

@compute @workgroup_size(STEP_LANES, STEP_SLICES)
fn lstm_step_forward(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    // Units and rows beyond the last are computed as the last, and not written.
    let unit = workgroup.x * STEP_LANES + local.x;
    let last_unit = min(unit, HIDDEN - 1u);
    let first_vector = workgroup.y * STEP_VECTORS;
    var sums = slice_of_product(last_unit, first_vector, local.y);

    if STEP_SLICES > 1u {
        for (var sum = 0u; sum < UNIT_SUMS; sum++) {
            slice_sums[(local.y * UNIT_SUMS + sum) * STEP_LANES + local.x] = sums[sum];
        }
        workgroupBarrier();
    }
    for (var row = local.y; row < STEP_VECTORS; row += STEP_SLICES) {
        var pre_activations: array<vec4<f32>, GATES>;
        for (var gate = 0u; gate < GATES; gate++) {
            let sum = gate * STEP_VECTORS + row;
            pre_activations[gate] = sums[sum];
            if STEP_SLICES > 1u {
                pre_activations[gate] = vec4(0.0);
                for (var slice = 0u; slice < STEP_SLICES; slice++) {
                    let part = slice_sums[(slice * UNIT_SUMS + sum) * STEP_LANES + local.x];
                    pre_activations[gate] += part;
                }
            }
        }
        if unit < HIDDEN && first_vector + row < batch_vectors() {
            finish(unit, first_vector + row, pre_activations);
        }
    }
}

// One slice of H W_hh: [4, STEP_VECTORS], gate by gate.
fn slice_of_product(unit: u32, first_vector: u32, slice: u32) -> array<vec4<f32>, UNIT_SUMS> {
    var sums: array<vec4<f32>, UNIT_SUMS>;
    let end = slice_start(HIDDEN, STEP_SLICES, slice + 1u);
    for (var k = slice_start(HIDDEN, STEP_SLICES, slice); k < end; k++) {
        let row = W_HH + k * GATES * HIDDEN + unit;
        let w_i = parameters[row + INPUT_GATE * HIDDEN];
        let w_f = parameters[row + FORGET_GATE * HIDDEN];
        let w_g = parameters[row + CANDIDATE_GATE * HIDDEN];
        let w_o = parameters[row + OUTPUT_GATE * HIDDEN];
        for (var v = 0u; v < STEP_VECTORS; v++) {
            let vector = min(first_vector + v, batch_vectors() - 1u);
            let h = hidden[activation_index(step.t, HIDDEN, k, vector)];
            sums[INPUT_GATE * STEP_VECTORS + v] += w_i * h;
            sums[FORGET_GATE * STEP_VECTORS + v] += w_f * h;
            sums[CANDIDATE_GATE * STEP_VECTORS + v] += w_g * h;
            sums[OUTPUT_GATE * STEP_VECTORS + v] += w_o * h;
        }
    }
    return sums;
}

// From H W_hh of one unit and four rows to its gates, cell state and hidden state.
fn finish(unit: u32, vector: u32, products: array<vec4<f32>, GATES>) {
    let i = sigmoid(products[INPUT_GATE] + input_part(INPUT_GATE, unit, vector));
    let f = sigmoid(products[FORGET_GATE] + input_part(FORGET_GATE, unit, vector));
    let g = hyperbolic_tangent(products[CANDIDATE_GATE] + input_part(CANDIDATE_GATE, unit, vector));
    let o = sigmoid(products[OUTPUT_GATE] + input_part(OUTPUT_GATE, unit, vector));
    let c = f * cell[activation_index(step.t, HIDDEN, unit, vector)] + i * g;
    gates[gate_index(INPUT_GATE, unit, vector)] = i;
    gates[gate_index(FORGET_GATE, unit, vector)] = f;
    gates[gate_index(CANDIDATE_GATE, unit, vector)] = g;
    gates[gate_index(OUTPUT_GATE, unit, vector)] = o;
    cell[activation_index(step.t + 1u, HIDDEN, unit, vector)] = c;
    hidden[activation_index(step.t + 1u, HIDDEN, unit, vector)] = o * hyperbolic_tangent(c);
}

// X W_ih + b of one gate: a row look-up in the first layer; above, what `project` left in `gates`.
fn input_part(gate: u32, unit: u32, vector: u32) -> vec4<f32> {
    if !IS_FIRST_LAYER {
        return gates[gate_index(gate, unit, vector)];
    }
    let column = gate_column(gate, unit);
    let rows = W_IH + inputs[step.t * batch_vectors() + vector] * GATES * HIDDEN + column;
    let w_ih = vec4(parameters[rows.x], parameters[rows.y], parameters[rows.z], parameters[rows.w]);
    return w_ih + parameters[B + column];
}

fn gate_index(gate: u32, unit: u32, vector: u32) -> u32 {
    return activation_index(step.t, GATES * HIDDEN, gate_column(gate, unit), vector);
}
