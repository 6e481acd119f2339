//! Choosing the next character from the logits, in integer arithmetic alone.

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg32;

use crate::vocabulary::Token;

/// How the next character is chosen.
///
/// ```
/// use infer_core::Sampling;
///
/// let sampling = Sampling::greedy().with_temperature_milli(700).with_top_k(10).with_seed(1);
/// assert_eq!(sampling.temperature_milli, 700);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampling {
    /// Temperature in thousandths: 1000 samples from the model's own distribution, less is bolder,
    /// 0 is greedy, the most probable character always.
    pub temperature_milli: u16,
    /// Only the k most probable characters (and those as probable as the last of them); 0: all.
    pub top_k: u16,
    /// Only the most probable characters that together reach this probability, in thousandths;
    /// 1000 or more: all.
    pub top_p_milli: u16,
    /// Where the random generator (PCG-XSH-RR 64/32) starts: same seed, same text.
    pub seed: u64,
}

impl Sampling {
    /// The most probable character always.
    #[must_use]
    pub const fn greedy() -> Self {
        Self { temperature_milli: 0, top_k: 0, top_p_milli: 1000, seed: 0 }
    }

    /// The same with another temperature, in thousandths.
    #[must_use]
    pub const fn with_temperature_milli(mut self, temperature_milli: u16) -> Self {
        self.temperature_milli = temperature_milli;
        self
    }

    /// The same with only the `top_k` most probable characters.
    #[must_use]
    pub const fn with_top_k(mut self, top_k: u16) -> Self {
        self.top_k = top_k;
        self
    }

    /// The same with only the most probable characters that reach `top_p_milli` together.
    #[must_use]
    pub const fn with_top_p_milli(mut self, top_p_milli: u16) -> Self {
        self.top_p_milli = top_p_milli;
        self
    }

    /// The same with another seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

/// Fraction bits of the exponents that [`weight`] takes.
const EXPONENT_FRACTION_BITS: u32 = 8;

/// log2(e) in units of 2⁻¹⁶.
const LOG2_E_Q16: u64 = 94_548;

/// Draws characters as a [`Sampling`] asks.
#[derive(Debug, Clone)]
pub(crate) struct Sampler {
    sampling: Sampling,
    random: Pcg32,
    /// By how much a logit of 1 less lowers the exponent of a weight, in units of 2⁻⁴⁰.
    exponent_per_logit: u64,
}

impl Sampler {
    /// A sampler for logits in units of `nats_per_logit_q32`.
    pub(crate) fn new(sampling: Sampling, nats_per_logit_q32: u32) -> Self {
        let octaves_q40 =
            (u64::from(nats_per_logit_q32) * LOG2_E_Q16) >> (16 - EXPONENT_FRACTION_BITS);
        let temperature_milli = u64::from(sampling.temperature_milli.max(1));
        Self {
            sampling,
            random: Pcg32::seed_from_u64(sampling.seed),
            exponent_per_logit: octaves_q40.saturating_mul(1000) / temperature_milli,
        }
    }

    /// Chooses a token by its logit. `logits` gives the same numbers at every call.
    pub(crate) fn choose<I: Iterator<Item = i32>>(&mut self, logits: impl Fn() -> I) -> Token {
        let largest = logits().max().unwrap_or_default();
        if self.sampling.temperature_milli == 0 {
            return position(logits().position(|logit| logit == largest));
        }
        let exponent_per_logit = self.exponent_per_logit;
        let weight = |logit: i32| {
            let below = u64::from(largest.abs_diff(logit));
            weight(below.saturating_mul(exponent_per_logit) >> 32)
        };
        let mut threshold = i32::MIN;
        if self.sampling.top_k > 0 {
            let count = |least| logits().filter(|&logit| logit >= least).count() as u64;
            threshold = highest_threshold(largest, u64::from(self.sampling.top_k), count);
        }
        let total_from = |least| {
            let kept = logits().filter(|&logit| logit >= least);
            kept.map(|logit| u64::from(weight(logit))).sum::<u64>()
        };
        if self.sampling.top_p_milli < 1000 {
            let target = total_from(threshold) * u64::from(self.sampling.top_p_milli) / 1000;
            threshold = threshold.max(highest_threshold(largest, target.max(1), total_from));
        }
        let mut rest = (u64::from(self.random.next_u32()) * total_from(threshold)) >> 32;
        let drawn = logits().position(|logit| {
            let weight = if logit >= threshold { u64::from(weight(logit)) } else { 0 };
            let is_drawn = rest < weight;
            rest = rest.saturating_sub(weight);
            is_drawn
        });
        position(drawn)
    }
}

/// The highest threshold at which `measure`, which grows as the threshold falls, reaches `target`;
/// the lowest of all if none does.
fn highest_threshold(largest: i32, target: u64, measure: impl Fn(i32) -> u64) -> i32 {
    let (mut low, mut high) = (i64::from(i32::MIN), i64::from(largest));
    while low < high {
        // Rounded up, so that the range shrinks at every turn.
        let middle = (low + high + 1) >> 1;
        if measure(middle as i32) >= target { low = middle } else { high = middle - 1 }
    }
    low as i32
}

/// 2^(16 − `exponent`/256), rounded: the weight of a character that lies `exponent`/256 octaves
/// below the most probable one. Below 2⁻¹⁶ of it, a character is never drawn.
fn weight(exponent: u64) -> u32 {
    static POWERS: [u32; 1 << EXPONENT_FRACTION_BITS] = powers();
    let fraction = exponent as usize % POWERS.len();
    let octaves = exponent >> EXPONENT_FRACTION_BITS;
    let power = POWERS.get(fraction).copied().unwrap_or_default();
    u32::try_from(octaves).ok().and_then(|octaves| power.checked_shr(octaves)).unwrap_or_default()
}

/// 2^(16 − n/256) for each n below 256.
const fn powers() -> [u32; 1 << EXPONENT_FRACTION_BITS] {
    // 2^(−1/256).
    const STEP: f64 = 0.997_296_056_085_470_1;
    let mut powers = [0; 1 << EXPONENT_FRACTION_BITS];
    let (mut value, mut n) = (65_536.0, 0);
    while n < powers.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler only")]
        let power = &mut powers[n];
        *power = (value + 0.5) as u32;
        value *= STEP;
        n += 1;
    }
    powers
}

fn position(found: Option<usize>) -> Token {
    found.and_then(|position| Token::try_from(position).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::{Sampler, Sampling, weight};

    /// Logits in units of 2⁻¹⁶ nats.
    const NATS_PER_LOGIT_Q32: u32 = 1 << 16;

    fn logits(probabilities: &[f64]) -> Vec<i32> {
        probabilities.iter().map(|p| (p.ln() * 65_536.0).round() as i32).collect()
    }

    fn shares(sampling: Sampling, probabilities: &[f64]) -> Vec<f64> {
        const DRAWS: usize = 100_000;
        let logits = logits(probabilities);
        let mut sampler = Sampler::new(sampling, NATS_PER_LOGIT_Q32);
        let mut shares = vec![0.0; logits.len()];
        for _ in 0..DRAWS {
            shares[usize::from(sampler.choose(|| logits.iter().copied()))] += 1.0 / DRAWS as f64;
        }
        shares
    }

    #[test]
    fn weights_are_powers_of_two() {
        for exponent in 0..5000 {
            let exact = 2_f64.powf(16.0 - exponent as f64 / 256.0);
            assert!((f64::from(weight(exponent)) - exact).abs() <= 1.0, "{exponent}");
        }
        assert_eq!(weight(u64::MAX), 0);
        // The number that `docs/artifact-format.md` names.
        let powers: Vec<u8> = (0..256).flat_map(|n| weight(n).to_le_bytes()).collect();
        let checksum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&powers);
        assert_eq!(checksum, 0x84f2_12b5);
    }

    #[test]
    fn characters_are_drawn_as_often_as_they_are_probable() {
        let own = [0.5, 0.3, 0.15, 0.05];
        let sampling = Sampling::greedy().with_temperature_milli(1000);
        let cold = own.map(|p: f64| p.powf(2.0) / own.iter().map(|p| p.powf(2.0)).sum::<f64>());
        let cases = [
            (sampling, own),
            (sampling.with_temperature_milli(500), cold),
            (sampling.with_top_k(2), [0.625, 0.375, 0.0, 0.0]),
            (sampling.with_top_p_milli(900), [0.526, 0.316, 0.158, 0.0]),
            (sampling.with_top_p_milli(0), [1.0, 0.0, 0.0, 0.0]),
            (Sampling::greedy(), [1.0, 0.0, 0.0, 0.0]),
        ];
        for (sampling, expected) in cases {
            for (share, expected) in shares(sampling, &own).into_iter().zip(expected) {
                assert!((share - expected).abs() < 0.01, "{sampling:?}: {share} for {expected}");
            }
        }
    }
}
