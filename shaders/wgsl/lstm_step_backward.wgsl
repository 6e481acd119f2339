// The gradients of one step of one layer.
//
// One invocation: the gradient of the hidden state of BACKWARD_GROUPS times four units, some rows
// of the batch, one slice of 4H; then the gradients of the gates of some of these. Twin:
// LstmStepBackward in the trainer's cpu/lstm_step_backward.rs.

@group(0) @binding(0) var<uniform> step: Step;                             // t
@group(0) @binding(1) var<storage, read> packed: array<vec4<f32>>;         // [4H, H/4]: W_hh^T
@group(0) @binding(2) var<storage, read_write> gates: array<vec4<f32>>;    // [T, 4H, B/4]
@group(0) @binding(3) var<storage, read> cell: array<vec4<f32>>;           // [T + 1, H, B/4]
@group(0) @binding(4) var<storage, read> d_hidden: array<vec4<f32>>;       // [T, H, B/4]
@group(0) @binding(5) var<storage, read_write> d_cell: array<vec4<f32>>;   // [H, B/4]

// How a workgroup and its sums are cut, see common/slices.wgsl.
const LANES = BACKWARD_LANES;
const SLICES = BACKWARD_SLICES;
const OUTER = BACKWARD_GROUPS;
const INNER = BACKWARD_VECTORS;

@compute @workgroup_size(BACKWARD_LANES, BACKWARD_SLICES)
fn lstm_step_backward(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let first_group = workgroup.x * BACKWARD_LANES * BACKWARD_GROUPS + local.x;
    let first_vector = workgroup.y * BACKWARD_VECTORS;
    let sums = slice_of_product(first_group, first_vector, local.y);
    share(sums, local.x, local.y);
    for (var g = 0u; g < BACKWARD_GROUPS; g++) {
        for (var v = 0u; v < BACKWARD_VECTORS; v++) {
            for (var c = 0u; c < 4u; c++) {
                let unit = 4u * (first_group + g * BACKWARD_LANES) + c;
                let vector = first_vector + v;
                let number = sum_number(g, v, c);
                let is_own = number % BACKWARD_SLICES == local.y;
                if is_own && unit < HIDDEN && vector < batch_vectors() {
                    finish(unit, vector, sum_of_slices(number, local.x));
                }
            }
        }
    }
}

// One slice of the gates' gradients of the following step, times W_hh transposed. Units and rows
// beyond the last are computed like the last.
fn slice_of_product(first_group: u32, first_vector: u32, slice: u32) -> Sums {
    var sums: Sums;
    if step.t + 1u >= NUM_STEPS {
        return sums;
    }
    let groups = (HIDDEN + 3u) / 4u;
    let end = slice_start(GATES * HIDDEN, BACKWARD_SLICES, slice + 1u);
    for (var k = slice_start(GATES * HIDDEN, BACKWARD_SLICES, slice); k < end; k++) {
        var d_gates: array<vec4<f32>, BACKWARD_VECTORS>;
        for (var v = 0u; v < BACKWARD_VECTORS; v++) {
            let vector = min(first_vector + v, batch_vectors() - 1u);
            d_gates[v] = gates[activation_index(step.t + 1u, GATES * HIDDEN, k, vector)];
        }
        for (var g = 0u; g < BACKWARD_GROUPS; g++) {
            let group = min(first_group + g * BACKWARD_LANES, groups - 1u);
            let w = packed[k * groups + group];
            for (var v = 0u; v < BACKWARD_VECTORS; v++) {
                sums[g][v] += outer_product(d_gates[v], w);
            }
        }
    }
    return sums;
}

// Replaces the gates of one unit and four rows with the gradients of their pre-activations.
fn finish(unit: u32, vector: u32, product: vec4<f32>) {
    let i = gates[gate_index(step.t, INPUT_GATE, unit, vector)];
    let f = gates[gate_index(step.t, FORGET_GATE, unit, vector)];
    let g = gates[gate_index(step.t, CANDIDATE_GATE, unit, vector)];
    let o = gates[gate_index(step.t, OUTPUT_GATE, unit, vector)];
    let last_c = cell[activation_index(step.t, HIDDEN, unit, vector)];
    let tanh_c = hyperbolic_tangent(cell[activation_index(step.t + 1u, HIDDEN, unit, vector)]);

    let d_h = d_hidden[activation_index(step.t, HIDDEN, unit, vector)] + product;
    var d_c = d_h * o * (1.0 - tanh_c * tanh_c);
    if step.t + 1u < NUM_STEPS {
        d_c += d_cell[unit * batch_vectors() + vector];
    }
    gates[gate_index(step.t, INPUT_GATE, unit, vector)] = d_c * g * i * (1.0 - i);
    gates[gate_index(step.t, FORGET_GATE, unit, vector)] = d_c * last_c * f * (1.0 - f);
    gates[gate_index(step.t, CANDIDATE_GATE, unit, vector)] = d_c * i * (1.0 - g * g);
    gates[gate_index(step.t, OUTPUT_GATE, unit, vector)] = d_h * tanh_c * o * (1.0 - o);
    d_cell[unit * batch_vectors() + vector] = d_c * f;
}
