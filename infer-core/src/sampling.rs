//! Choosing the next character from the logits, in integer arithmetic alone.

use rand_core::Rng;

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
    /// Temperature in thousandths: 1000 samples from the model's own distribution, more is
    /// bolder, less more cautious, 0 is greedy: the most probable character always.
    pub temperature_milli: u16,
    /// Only the k most probable characters (and those as probable as the last of them); 0: all. It
    /// takes up to 32 passes over the logits, and so does the next one.
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
    /// By how much a logit of 1 less lowers the exponent of a weight, in units of 2⁻⁴⁰.
    exponent_per_logit: u64,
}

impl Sampler {
    /// A sampler for logits in units of `nats_per_logit_q32`.
    #[inline(never)] // else it is there twice
    pub(crate) fn new(sampling: Sampling, nats_per_logit_q32: u32) -> Self {
        // Below 2⁴¹.
        let octaves_q40 =
            (u64::from(nats_per_logit_q32) * LOG2_E_Q16) >> (16 - EXPONENT_FRACTION_BITS);
        let exponent_per_logit = divide(octaves_q40 * 1000, sampling.temperature_milli);
        Self { sampling, exponent_per_logit }
    }

    /// Chooses a token by its logit. `logits` gives the same numbers at every call.
    pub(crate) fn choose<I: Iterator<Item = i32>>(
        &self,
        random: &mut impl Rng,
        logits: impl Fn() -> I,
    ) -> Token {
        let (mut likeliest, mut largest) = (0, i32::MIN);
        for (logit, token) in logits().zip(0..) {
            if logit > largest {
                (likeliest, largest) = (token, logit);
            }
        }
        let Sampling { temperature_milli, top_k, top_p_milli, .. } = self.sampling;
        if temperature_milli == 0 {
            return likeliest;
        }
        let candidates =
            Candidates { logits, largest, exponent_per_logit: self.exponent_per_logit };
        let mut threshold = i32::MIN;
        if top_k > 0 {
            threshold = candidates.highest_threshold(Measure::Number, top_k.into());
        }
        if top_p_milli < 1000 {
            let total = candidates.sum_from(threshold, Measure::Weight);
            let target = divide(u64::from(total) * u64::from(top_p_milli), 1000) as u32;
            threshold = candidates.highest_threshold(Measure::Weight, target.max(1));
        }
        let total = candidates.sum_from(threshold, Measure::Weight);
        let rest = ((u64::from(random.next_u32()) * u64::from(total)) >> 32) as u32;
        candidates.at(threshold, rest).unwrap_or(likeliest)
    }
}

/// The characters to choose from.
struct Candidates<F> {
    logits: F,
    largest: i32,
    exponent_per_logit: u64,
}

/// What characters are counted by.
#[derive(Clone, Copy)]
enum Measure {
    Number,
    Weight,
}

impl<I: Iterator<Item = i32>, F: Fn() -> I> Candidates<F> {
    /// What a character of this logit counts for.
    #[inline(never)] // else it is there twice, and so below
    fn count_of(&self, logit: i32, measure: Measure) -> u32 {
        if matches!(measure, Measure::Number) {
            return 1;
        }
        let below = self.largest.abs_diff(logit);
        let product = |factor: u32| u64::from(below) * u64::from(factor);
        let (high, low) = ((self.exponent_per_logit >> 32) as u32, self.exponent_per_logit as u32);
        weight(product(high) + (product(low) >> 32))
    }

    /// The sum over all logits from `least` on.
    ///
    /// It can't overflow: 65,535 characters of at most 2¹⁶ stay below 2³².
    #[inline(never)]
    fn sum_from(&self, least: i32, measure: Measure) -> u32 {
        let counted = (self.logits)().filter(|&logit| logit >= least);
        counted.fold(0, |sum, logit| sum.wrapping_add(self.count_of(logit, measure)))
    }

    /// The highest threshold from which on logits sum up to `target`; the lowest of all if they
    /// never do.
    #[inline(never)]
    fn highest_threshold(&self, measure: Measure, target: u32) -> i32 {
        let (mut low, mut high) = (i32::MIN, self.largest);
        while low < high {
            // Rounded up, so that the range shrinks at every turn.
            let middle = low.wrapping_add((low.abs_diff(high).div_ceil(2)) as i32);
            let is_enough = self.sum_from(middle, measure) >= target;
            if is_enough { low = middle } else { high = middle.wrapping_sub(1) }
        }
        low
    }

    /// The first token at which the weights of all logits from `threshold` on exceed `rest`.
    fn at(&self, threshold: i32, mut rest: u32) -> Option<Token> {
        for (logit, token) in (self.logits)().zip(0..) {
            if logit >= threshold {
                match rest.checked_sub(self.count_of(logit, Measure::Weight)) {
                    Some(less) => rest = less,
                    None => return Some(token),
                }
            }
        }
        None
    }
}

/// 2^(16 − `exponent`/256), rounded: the weight of a character that lies `exponent`/256 octaves
/// below the most probable one. Below 2⁻¹⁶ of it, a character is never drawn.
#[inline(never)]
fn weight(exponent: u64) -> u32 {
    /// 2^(31 − n/16) and 2^(31 − n/256), of which any power is the product of two.
    static SIXTEENTHS: [u32; 16] = powers(0.957_603_280_698_573_7);
    static FINE: [u32; 16] = powers(0.997_296_056_085_470_1);
    let number = exponent as usize;
    #[expect(clippy::indexing_slicing, reason = "a remainder of 16 is below 16")]
    let (sixteenth, fine) = (SIXTEENTHS[number / 16 % 16], FINE[number % 16]);
    const SHIFT: u32 = 31 + 31 - 16;
    let power = (u64::from(sixteenth) * u64::from(fine) + (1 << (SHIFT - 1))) >> SHIFT;
    let octaves = exponent >> EXPONENT_FRACTION_BITS;
    if octaves < 32 { power as u32 >> octaves } else { 0 }
}

/// 2³¹ · `step`ⁿ for each n below 16.
const fn powers(step: f64) -> [u32; 16] {
    let mut powers = [0; 16];
    let (mut value, mut n) = ((1_u32 << 31) as f64, 0);
    while n < powers.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler only")]
        let power = &mut powers[n];
        *power = (value + 0.5) as u32;
        value *= step;
        n += 1;
    }
    powers
}

/// ⌊`dividend` / `divisor`⌋ (or / 1 for 0), in digits of 16 bits: a division of 64 bits would take
/// a microcontroller a kilobyte of code.
#[inline(never)]
fn divide(dividend: u64, divisor: u16) -> u64 {
    let divisor = u32::from(divisor.max(1));
    let (mut quotient, mut rest) = (0, 0);
    for shift in [48, 32, 16, 0] {
        // No part overflows, as the rest is below the divisor.
        let part = (rest << 16) | ((dividend >> shift) & 0xffff) as u32;
        quotient = (quotient << 16) | u64::from(part / divisor);
        rest = part % divisor;
    }
    quotient
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use rand_pcg::Pcg32;

    use super::{Sampler, Sampling, divide, weight};

    /// Logits in units of 2⁻¹⁶ nats.
    const NATS_PER_LOGIT_Q32: u32 = 1 << 16;

    fn logits(probabilities: &[f64]) -> Vec<i32> {
        probabilities.iter().map(|p| (p.ln() * 65_536.0).round() as i32).collect()
    }

    fn shares(sampling: Sampling, probabilities: &[f64]) -> Vec<f64> {
        const DRAWS: usize = 100_000;
        let logits = logits(probabilities);
        let sampler = Sampler::new(sampling, NATS_PER_LOGIT_Q32);
        let mut random = Pcg32::new(sampling.seed, 1);
        let mut shares = vec![0.0; logits.len()];
        for _ in 0..DRAWS {
            let token = sampler.choose(&mut random, || logits.iter().copied());
            shares[usize::from(token)] += 1.0 / DRAWS as f64;
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
    fn quotients_are_exact() {
        for dividend in [0, 1, 999, 1000, u64::from(u32::MAX), 0x0123_4567_89ab_cdef, u64::MAX] {
            for divisor in [1, 2, 700, 1000, 32_768, u16::MAX] {
                assert_eq!(divide(dividend, divisor), dividend / u64::from(divisor));
            }
        }
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
