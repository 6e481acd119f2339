//! Exponential, sigmoid and tanh without branches, so that the compiler vectorises their loops.
//!
//! Everything is `inline(always)`, so that a loop uses the vector instructions of the function that
//! contains it, which `pulp` compiles for each kind of processor. The standard library's functions
//! need a call for each number, which would double the time of an epoch.

/// The largest argument of [`exponential_parts`]: e^88 is still finite.
const LARGEST: f32 = 88.0;

/// ln 2 in two parts, so that n·ln 2 is subtracted without loss.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// 1.5 · 2²³: adding it rounds to a whole number, because the sum has no bits left for a fraction.
const ROUNDER: f32 = 12_582_912.0;

/// eˣ − 1 as `(scale, scaled)` with eˣ = scale + scaled, where `scale` is a power of two.
///
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2, and eʳ − 1 from its Taylor series, with an error of 5e-9.
#[inline(always)]
fn exponential_parts(x: f32) -> (f32, f32) {
    let x = x.clamp(-LARGEST, LARGEST);
    let rounded = x * std::f32::consts::LOG2_E + ROUNDER;
    let n = rounded - ROUNDER;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut series = 1.0 / 5040.0;
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0] {
        series = series * r + coefficient;
    }
    // The power of two, written into the exponent's bits: n is within ±127, and its last eight
    // bits are those of `rounded`.
    let scale = f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23));
    (scale, scale * (series * r))
}

/// eˣ; arguments beyond ±88 count as ±88.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let (scale, scaled) = exponential_parts(x);
    scale + scaled
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// tanh x = (e²ˣ − 1) / (e²ˣ + 1), also exact near zero.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    let (scale, scaled) = exponential_parts(2.0 * x.clamp(-10.0, 10.0));
    let exp_m1 = (scale - 1.0) + scaled;
    exp_m1 / (exp_m1 + 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_within_three_units_in_the_last_place() {
        let close = |name: &str, x: f32, got: f32, exact: f64| {
            let error = (f64::from(got) - exact).abs();
            assert!(error <= 3.0 * f64::from(f32::EPSILON) * exact.abs(), "{name}({x}) = {got}");
        };
        for n in -87_000..=87_000 {
            let x = n as f32 / 1000.0;
            close("exp", x, exp(x), f64::from(x).exp());
            close("sigmoid", x, sigmoid(x), 1.0 / (1.0 + (-f64::from(x)).exp()));
            close("tanh", x, tanh(x), f64::from(x).tanh());
            let small = x * 1e-4;
            close("tanh", small, tanh(small), f64::from(small).tanh());
        }
    }
}
