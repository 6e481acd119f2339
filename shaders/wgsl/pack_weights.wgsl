// Copies a matrix, with four columns per vector, in the order in which a product reads them.
//
// One invocation: one vector. In the matrix its elements are COMPONENT_STRIDE apart: the four gates
// of a unit, or four columns, or four rows for a product with the transpose. Twin: pack_weights in
// the trainer's cpu/pack_weights.rs.

override MATRIX: u32 = 0u;
// Number of vectors in a row of the result.
override GROUPS: u32 = 1u;
override ROW_STRIDE: u32 = 4u;
override GROUP_STRIDE: u32 = 4u;
override COMPONENT_STRIDE: u32 = 1u;
// The end of a row's elements; beyond it, the result is zero.
override SPAN: u32 = 4u;

@group(0) @binding(0) var<storage, read> parameters: array<f32>;          // [K, N] or [N, K] in it
@group(0) @binding(1) var<storage, read_write> packed: array<vec4<f32>>;  // [K, N/4]

@compute @workgroup_size(ELEMENT_LANES)
fn pack_weights(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let group = invocation.x;
    let row = invocation.y;
    if group >= GROUPS {
        return;
    }
    var weights = vec4(0.0);
    for (var component = 0u; component < 4u; component++) {
        let offset = group * GROUP_STRIDE + component * COMPONENT_STRIDE;
        if offset < SPAN {
            weights[component] = parameters[MATRIX + row * ROW_STRIDE + offset];
        }
    }
    packed[row * GROUPS + group] = weights;
}
