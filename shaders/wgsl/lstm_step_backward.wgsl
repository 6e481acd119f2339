// The gradients of one step of one layer.
//
// One invocation: the hidden state's gradient of one unit, some rows of the batch, one slice of 4H;
// then the gradients of the gates of some of these rows. Twin: LstmStepBackward in the trainer's
// cpu/lstm_step_backward.rs.

override W_HH_TRANSPOSED: u32 = 0u;

@group(0) @binding(0) var<uniform> step: Step;                             // t
@group(0) @binding(1) var<storage, read> transposes: array<f32>;           // W_hh: [4H, H]
@group(0) @binding(2) var<storage, read_write> gates: array<vec4<f32>>;    // [T, 4H, B/4]
@group(0) @binding(3) var<storage, read> cell: array<vec4<f32>>;           // [T + 1, H, B/4]
@group(0) @binding(4) var<storage, read> d_hidden: array<vec4<f32>>;       // [T, H, B/4]
@group(0) @binding(5) var<storage, read_write> d_cell: array<vec4<f32>>;   // [H, B/4]

struct Step {
    t: u32,
}

var<workgroup> slice_sums: array<vec4<f32>, STEP_SLICES * STEP_VECTORS * STEP_LANES>;

@compute @workgroup_size(STEP_LANES, STEP_SLICES)
fn lstm_step_backward(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    // Units and rows beyond the last are computed as the last, and not written.
    let unit = workgroup.x * STEP_LANES + local.x;
    let last_unit = min(unit, HIDDEN - 1u);
    let first_vector = workgroup.y * STEP_VECTORS;
    var sums = slice_of_product(last_unit, first_vector, local.y);

    if STEP_SLICES > 1u {
        for (var v = 0u; v < STEP_VECTORS; v++) {
            slice_sums[(local.y * STEP_VECTORS + v) * STEP_LANES + local.x] = sums[v];
        }
        workgroupBarrier();
    }
    for (var v = local.y; v < STEP_VECTORS; v += STEP_SLICES) {
        var product = sums[v];
        if STEP_SLICES > 1u {
            product = vec4(0.0);
            for (var slice = 0u; slice < STEP_SLICES; slice++) {
                product += slice_sums[(slice * STEP_VECTORS + v) * STEP_LANES + local.x];
            }
        }
        if unit < HIDDEN && first_vector + v < batch_vectors() {
            finish(unit, first_vector + v, product);
        }
    }
}

// One slice of the gates' gradients of the step after, times W_hh transposed: [STEP_VECTORS].
fn slice_of_product(unit: u32, first_vector: u32, slice: u32) -> array<vec4<f32>, STEP_VECTORS> {
    var sums: array<vec4<f32>, STEP_VECTORS>;
    if step.t + 1u < NUM_STEPS {
        let end = slice_start(GATES * HIDDEN, STEP_SLICES, slice + 1u);
        for (var j = slice_start(GATES * HIDDEN, STEP_SLICES, slice); j < end; j++) {
            let w = transposes[W_HH_TRANSPOSED + j * HIDDEN + unit];
            for (var v = 0u; v < STEP_VECTORS; v++) {
                let vector = min(first_vector + v, batch_vectors() - 1u);
                sums[v] += w * gates[activation_index(step.t + 1u, GATES * HIDDEN, j, vector)];
            }
        }
    }
    return sums;
}

// The gates of one unit and four rows become the gradients of their pre-activations.
fn finish(unit: u32, vector: u32, product: vec4<f32>) {
    let i = gates[gate_index(INPUT_GATE, unit, vector)];
    let f = gates[gate_index(FORGET_GATE, unit, vector)];
    let g = gates[gate_index(CANDIDATE_GATE, unit, vector)];
    let o = gates[gate_index(OUTPUT_GATE, unit, vector)];
    let last_c = cell[activation_index(step.t, HIDDEN, unit, vector)];
    let tanh_c = hyperbolic_tangent(cell[activation_index(step.t + 1u, HIDDEN, unit, vector)]);

    let d_h = d_hidden[activation_index(step.t, HIDDEN, unit, vector)] + product;
    var d_c = d_h * o * (1.0 - tanh_c * tanh_c);
    if step.t + 1u < NUM_STEPS {
        d_c += d_cell[unit * batch_vectors() + vector];
    }
    gates[gate_index(INPUT_GATE, unit, vector)] = d_c * g * i * (1.0 - i);
    gates[gate_index(FORGET_GATE, unit, vector)] = d_c * last_c * f * (1.0 - f);
    gates[gate_index(CANDIDATE_GATE, unit, vector)] = d_c * i * (1.0 - g * g);
    gates[gate_index(OUTPUT_GATE, unit, vector)] = d_h * tanh_c * o * (1.0 - o);
    d_cell[unit * batch_vectors() + vector] = d_c * f;
}

fn gate_index(gate: u32, unit: u32, vector: u32) -> u32 {
    return activation_index(step.t, GATES * HIDDEN, gate_column(gate, unit), vector);
}
