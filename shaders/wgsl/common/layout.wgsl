// Shapes and indices, the same as in infer_core::layout; a test compares them.
//
// B batch, T steps, V vocabulary, H hidden. In activations, the rows of the batch are contiguous,
// four per vector: [T, H, B/4]. Parameters are row-major: [H, 4H].

override VOCABULARY: u32 = 2u;
override HIDDEN: u32 = 1u;
override BATCH: u32 = 1u;
override NUM_STEPS: u32 = 1u;

const GATES = 4u;
const INPUT_GATE = 0u;
const FORGET_GATE = 1u;
const CANDIDATE_GATE = 2u;
const OUTPUT_GATE = 3u;

// The first step of a dispatch.
struct Step {
    t: u32,
}

// The numbers for an iteration's update.
struct Update {
    learning_rate: f32,
    clip: f32,
    step_size: f32,
    correction: f32,
    decay: f32,
}

// The numbers for an iteration's dropout.
struct Dropout {
    seed: u32,
    threshold: u32,
    scale: f32,
}

// What an iteration measured.
struct Report {
    loss_nats: f32,
    gradient_norm: f32,
    clip_factor: f32,
}

// Number of partial sums of all squares.
const SQUARE_SUM_COUNT = 4096u;

// Column of a gate of a unit in a matrix with 4H columns.
fn gate_column(gate: u32, unit: u32) -> u32 {
    return gate * HIDDEN + unit;
}

// Number of vectors for the rows of a batch: B/4, rounded up.
fn batch_vectors() -> u32 {
    return (BATCH + 3u) / 4u;
}

// Index of the vector of four rows in an activation [steps, width, B/4].
fn activation_index(step: u32, width: u32, column: u32, vector: u32) -> u32 {
    return (step * width + column) * batch_vectors() + vector;
}

// Index of the gate of a unit in the gates [T, 4H, B/4].
fn gate_index(step: u32, gate: u32, unit: u32, vector: u32) -> u32 {
    return activation_index(step, GATES * HIDDEN, gate_column(gate, unit), vector);
}

// The first element of `slice`, if `count` elements are cut into `slices` of the same length.
fn slice_start(count: u32, slices: u32, slice: u32) -> u32 {
    return min(count, slice * ((count + slices - 1u) / slices));
}

// All products of four rows and four columns; column j of the matrix is for column j.
fn outer_product(rows: vec4<f32>, columns: vec4<f32>) -> mat4x4<f32> {
    return mat4x4(columns.x * rows, columns.y * rows, columns.z * rows, columns.w * rows);
}
