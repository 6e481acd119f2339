// Which elements dropout drops: a hash of an element's index decides, so that every device drops
// the same ones.

// The factors of four elements: 0, or the scale that compensates for the dropped ones.
fn dropout_factors(elements: vec4<u32>, dropout: Dropout) -> vec4<f32> {
    let is_kept = hash(hash(elements) + dropout.seed) >= vec4(dropout.threshold);
    return select(vec4(0.0), vec4(dropout.scale), is_kept);
}

// A permutation of all u32 (PCG RXS-M-XS, "Hash Functions for GPU Rendering", JCGT 9.3).
fn hash(value: vec4<u32>) -> vec4<u32> {
    let state = value * 747796405u + 2891336453u;
    let word = ((state >> ((state >> vec4(28u)) + 4u)) ^ state) * 277803737u;
    return (word >> vec4(22u)) ^ word;
}
