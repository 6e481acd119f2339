// The update of the parameters by Adam and AdamW.
//
// One invocation: every INVOCATIONS-th parameter. Twin: adam in the trainer's cpu/adam.rs.

override COUNT: u32 = 1u;

@group(0) @binding(0) var<storage, read_write> parameters: array<f32>;    // all parameters
@group(0) @binding(1) var<storage, read> gradients: array<f32>;           // of all parameters
@group(0) @binding(2) var<storage, read_write> first: array<f32>;         // means of g
@group(0) @binding(3) var<storage, read_write> second: array<f32>;        // means of g^2
@group(0) @binding(4) var<uniform> update: Update;
@group(0) @binding(5) var<storage, read> report: Report;

const BETA_1 = 0.9f;
const BETA_2 = 0.999f;
const EPSILON = 1e-8f;

@compute @workgroup_size(ELEMENT_LANES)
fn adam(
    @builtin(global_invocation_id) invocation: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    for (var element = invocation.x; element < COUNT; element += workgroups.x * ELEMENT_LANES) {
        let gradient = report.clip_factor * gradients[element];
        let m = BETA_1 * first[element] + (1.0 - BETA_1) * gradient;
        let v = BETA_2 * second[element] + (1.0 - BETA_2) * gradient * gradient;
        first[element] = m;
        second[element] = v;
        let step = update.step_size * m / (sqrt(v) * update.correction + EPSILON);
        parameters[element] = update.decay * parameters[element] - step;
    }
}
