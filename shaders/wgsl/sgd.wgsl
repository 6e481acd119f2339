// The update of the parameters by SGD.
//
// One invocation: every INVOCATIONS-th parameter. Twin: sgd in the trainer's cpu/sgd.rs.

override COUNT: u32 = 1u;

@group(0) @binding(0) var<storage, read_write> parameters: array<f32>;    // all parameters
@group(0) @binding(1) var<storage, read> gradients: array<f32>;           // of all parameters
@group(0) @binding(2) var<uniform> update: Update;
@group(0) @binding(3) var<storage, read> report: Report;

@compute @workgroup_size(ELEMENT_LANES)
fn sgd(
    @builtin(global_invocation_id) invocation: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    let rate = update.learning_rate * report.clip_factor;
    for (var element = invocation.x; element < COUNT; element += workgroups.x * ELEMENT_LANES) {
        parameters[element] -= rate * gradients[element];
    }
}
