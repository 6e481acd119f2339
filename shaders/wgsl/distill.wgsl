// Moves the gradients of the logits half of the way to those of a loss against a teacher's
// probabilities, so that what a model learns is half the text, half the teacher.
//
// One invocation: all logits of four rows of the batch at one step. Twin: Distill in the trainer's
// cpu/distill.rs.

@group(0) @binding(0) var<storage, read> targets: array<vec4<u32>>;         // [T, B/4]
@group(0) @binding(1) var<storage, read> teacher: array<vec4<f32>>;         // logits [T, V, B/4]
@group(0) @binding(2) var<storage, read_write> d_logits: array<vec4<f32>>;  // [T, V, B/4]

@compute @workgroup_size(ELEMENT_LANES)
fn distill(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let t = invocation.x / batch_vectors();
    let vector = invocation.x % batch_vectors();
    if t >= NUM_STEPS {
        return;
    }
    var largest = teacher[activation_index(t, VOCABULARY, 0u, vector)];
    for (var token = 1u; token < VOCABULARY; token++) {
        largest = max(largest, teacher[activation_index(t, VOCABULARY, token, vector)]);
    }
    var sum = vec4(0.0);
    for (var token = 0u; token < VOCABULARY; token++) {
        sum += exponential(teacher[activation_index(t, VOCABULARY, token, vector)] - largest);
    }
    let targets_here = targets[invocation.x];
    // Rows that only pad the last vector don't count.
    let is_row = vec4(4u * vector) + vec4(0u, 1u, 2u, 3u) < vec4(BATCH);
    let share = select(vec4(0.0), vec4(0.5 / f32(NUM_STEPS * BATCH)), is_row);
    for (var token = 0u; token < VOCABULARY; token++) {
        let index = activation_index(t, VOCABULARY, token, vector);
        let probabilities = exponential(teacher[index] - largest) / sum;
        let one_hot = select(vec4(0.0), vec4(1.0), targets_here == vec4(token));
        d_logits[index] += share * (one_hot - probabilities);
    }
}
