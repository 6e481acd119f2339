// Clears the gradient of every weight that is left out, that is, exactly 0.
//
// One invocation: every INVOCATIONS-th weight. Twin: mask_gradients in the trainer's
// cpu/mask_gradients.rs.

override MATRIX: u32 = 0u;
override COUNT: u32 = 1u;

@group(0) @binding(0) var<storage, read> parameters: array<f32>;          // all parameters
@group(0) @binding(1) var<storage, read_write> gradients: array<f32>;     // of all parameters

@compute @workgroup_size(ELEMENT_LANES)
fn mask_gradients(
    @builtin(global_invocation_id) invocation: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    for (var element = invocation.x; element < COUNT; element += workgroups.x * ELEMENT_LANES) {
        if parameters[MATRIX + element] == 0.0 {
            gradients[MATRIX + element] = 0.0;
        }
    }
}
