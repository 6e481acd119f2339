// Shapes and indices; the same as in infer_core::layout, which a test compares.
//
// B batch, T steps, V vocabulary, H hidden. Activations lie with their rows of the batch side by
// side, four in a vector: [T, H, B/4]. Parameters are row-major: [H, 4H].

override VOCABULARY: u32 = 2u;
override HIDDEN: u32 = 1u;
override BATCH: u32 = 1u;
override NUM_STEPS: u32 = 1u;

const GATES = 4u;
const INPUT_GATE = 0u;
const FORGET_GATE = 1u;
const CANDIDATE_GATE = 2u;
const OUTPUT_GATE = 3u;

// Where the steps of a dispatch start.
struct Step {
    t: u32,
}

// The numbers of an iteration's update.
struct Update {
    learning_rate: f32,
    clip: f32,
    step_size: f32,
    correction: f32,
    decay: f32,
}

// What an iteration leaves out.
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

// Parts of the sum of all squares.
const SQUARE_SUM_COUNT = 4096u;

// Column of a gate of a unit in a matrix with 4H columns.
fn gate_column(gate: u32, unit: u32) -> u32 {
    return gate * HIDDEN + unit;
}

// Vectors that the rows of a batch take: B/4, rounded up.
fn batch_vectors() -> u32 {
    return (BATCH + 3u) / 4u;
}

// Where the vector of four rows lies in an activation [steps, width, B/4].
fn activation_index(step: u32, width: u32, column: u32, vector: u32) -> u32 {
    return (step * width + column) * batch_vectors() + vector;
}

// Where the gate of a unit lies in the gates [T, 4H, B/4].
fn gate_index(step: u32, gate: u32, unit: u32, vector: u32) -> u32 {
    return activation_index(step, GATES * HIDDEN, gate_column(gate, unit), vector);
}

// The first of `count` elements, cut into `slices` of the same length, that `slice` has.
fn slice_start(count: u32, slices: u32, slice: u32) -> u32 {
    return min(count, slice * ((count + slices - 1u) / slices));
}

// Of four rows and four columns, each product; a column of the matrix for each column.
fn outer_product(rows: vec4<f32>, columns: vec4<f32>) -> mat4x4<f32> {
    return mat4x4(columns.x * rows, columns.y * rows, columns.z * rows, columns.w * rows);
}
