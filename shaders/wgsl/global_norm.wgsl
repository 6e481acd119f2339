// The global norm of the gradients, the clipping factor and the mean loss.
//
// One workgroup: each invocation adds some partial sums, and a tree adds the results. Twin:
// global_norm in the trainer's cpu/global_norm.rs, then clip_factor.

@group(0) @binding(0) var<storage, read> sums: array<f32>;                // [SQUARE_SUM_COUNT]
@group(0) @binding(1) var<storage, read> losses: array<vec4<f32>>;        // [T, B/4]
@group(0) @binding(2) var<uniform> update: Update;
@group(0) @binding(3) var<storage, read_write> report: Report;

const LANES = 256u;

var<workgroup> lane_sums: array<vec2<f32>, LANES>;

@compute @workgroup_size(LANES)
fn global_norm(@builtin(local_invocation_index) lane: u32) {
    var square_sum = 0.0;
    for (var part = lane; part < SQUARE_SUM_COUNT; part += LANES) {
        square_sum += sums[part];
    }
    var loss = 0.0;
    for (var row = lane; row < NUM_STEPS * batch_vectors(); row += LANES) {
        loss += dot(losses[row], vec4(1.0));
    }
    lane_sums[lane] = vec2(square_sum, loss);
    workgroupBarrier();
    for (var count = LANES / 2u; count > 0u; count /= 2u) {
        if lane < count {
            lane_sums[lane] += lane_sums[lane + count];
        }
        workgroupBarrier();
    }
    if lane == 0u {
        let norm = sqrt(lane_sums[0].x);
        report.loss_nats = lane_sums[0].y / f32(NUM_STEPS * BATCH);
        report.gradient_norm = norm;
        report.clip_factor = select(1.0, update.clip / norm, norm > update.clip);
    }
}
