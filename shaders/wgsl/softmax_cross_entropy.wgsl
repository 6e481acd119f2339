// The loss of each prediction, and the gradient of the mean loss with respect to the logits.
//
// One invocation: all logits of four rows of the batch at one step. Twin: SoftmaxCrossEntropy in
// the trainer's cpu/softmax_cross_entropy.rs.

@group(0) @binding(0) var<storage, read> targets: array<vec4<u32>>;       // [T, B/4]
@group(0) @binding(1) var<storage, read_write> logits: array<vec4<f32>>;  // [T, V, B/4]
@group(0) @binding(2) var<storage, read_write> losses: array<vec4<f32>>;  // [T, B/4]

@compute @workgroup_size(ELEMENT_LANES)
fn softmax_cross_entropy(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let t = invocation.x / batch_vectors();
    let vector = invocation.x % batch_vectors();
    if t >= NUM_STEPS {
        return;
    }
    var largest = logits[activation_index(t, VOCABULARY, 0u, vector)];
    for (var token = 1u; token < VOCABULARY; token++) {
        largest = max(largest, logits[activation_index(t, VOCABULARY, token, vector)]);
    }
    let targets_here = targets[invocation.x];
    var sum = vec4(0.0);
    var target_logits = vec4(0.0);
    for (var token = 0u; token < VOCABULARY; token++) {
        let index = activation_index(t, VOCABULARY, token, vector);
        let logit = logits[index] - largest;
        target_logits = select(target_logits, logit, targets_here == vec4(token));
        let power = exponential(logit);
        logits[index] = power;
        sum += power;
    }
    // Rows that only pad the last vector don't count.
    let is_row = vec4(4u * vector) + vec4(0u, 1u, 2u, 3u) < vec4(BATCH);
    losses[invocation.x] = select(vec4(0.0), log(sum) - target_logits, is_row);
    let share = select(vec4(0.0), vec4(1.0 / f32(NUM_STEPS * BATCH)), is_row);
    for (var token = 0u; token < VOCABULARY; token++) {
        let index = activation_index(t, VOCABULARY, token, vector);
        let one_hot = select(vec4(0.0), vec4(1.0), targets_here == vec4(token));
        logits[index] = share * (logits[index] / sum - one_hot);
    }
}
