//! Choosing the next character from the logits, using integer arithmetic only.

use crate::vocabulary::Token;

/// How the next character is chosen.
///
/// ```
/// use infer_core::Sampling;
///
/// let sampling = Sampling::random().with_temperature_milli(700).with_top_k(10).with_seed(1);
/// assert_eq!(sampling.temperature_milli, 700);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampling {
    /// Temperature in thousandths: 1000 samples from the model's own distribution; higher is
    /// bolder, lower more cautious, and 0 is greedy: always the most probable character.
    pub temperature_milli: u16,
    /// Only the k most probable characters, and any as probable as the last of them; 0 means all.
    /// Costs 32 passes over the logits, as does top-p.
    pub top_k: u16,
    /// Only the most probable characters that together reach this probability, in thousandths; 1000
    /// or more means all.
    pub top_p_milli: u16,
    /// Seed of the random number generator (PCG-XSH-RR 64/32): same seed, same text.
    pub seed: u64,
}

impl Sampling {
    /// Always the most probable character.
    #[must_use]
    pub const fn greedy() -> Self {
        Self { temperature_milli: 0, top_k: 0, top_p_milli: 1000, seed: 0 }
    }

    /// Random characters, with the model's own probabilities.
    #[must_use]
    pub const fn random() -> Self {
        Self { temperature_milli: 1000, ..Self::greedy() }
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

/// Fraction bits of the exponents passed to [`weight`].
const EXPONENT_FRACTION_BITS: u32 = 8;

/// Octaves of a nat at a temperature of 1/1000: 1000 · log₂ e, in units of 2⁻¹⁶.
const OCTAVES_PER_NAT_Q16: u64 = 94_548_462;

/// Draws characters according to a [`Sampling`].
#[derive(Debug, Clone)]
pub(crate) struct Sampler {
    sampling: Sampling,
    /// How much each unit of the logit lowers the exponent of a weight, in units of 2⁻⁴⁰.
    exponent_per_logit: u64,
}

impl Sampler {
    /// A sampler for logits in units of `nats_per_logit_q32`.
    #[inline(never)] // inlining would duplicate this code
    pub(crate) fn new(sampling: Sampling, nats_per_logit_q32: u32) -> Self {
        // Below 2⁵¹. A 64-bit division would cost a kilobyte of code on a microcontroller.
        let octaves_q40 =
            (u64::from(nats_per_logit_q32) * OCTAVES_PER_NAT_Q16) >> (16 - EXPONENT_FRACTION_BITS);
        let thousandths = u32::from(sampling.temperature_milli.max(1));
        let exponent_per_logit = scale(octaves_q40, u32::MAX / thousandths);
        Self { sampling, exponent_per_logit }
    }

    /// Chooses a token from the logits and, unless sampling is greedy, a `random` number. `logits`
    /// must return the same numbers on every call.
    #[inline(never)] // a step of the model doesn't need its stack
    pub(crate) fn choose<I: Iterator<Item = i32>>(
        &self,
        random: impl FnOnce() -> u32,
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
        let exponent_per_logit = self.exponent_per_logit;
        let candidates = Candidates { logits, largest, exponent_per_logit };
        let mut threshold = i32::MIN;
        if top_k > 0 {
            threshold = candidates.highest_threshold(Measure::Number, u64::from(top_k) - 1);
        }
        if top_p_milli < 1000 {
            let total = candidates.sum_from(threshold, Measure::Weight);
            // One thousandth of 2³², approximately.
            let share = scale(total, u32::from(top_p_milli) * (u32::MAX / 1000));
            threshold = candidates.highest_threshold(Measure::Weight, share);
        }
        let total = candidates.sum_from(threshold, Measure::Weight);
        let rest = scale(total, random());
        candidates.at(threshold, rest).unwrap_or(likeliest)
    }
}

/// The characters to choose from.
struct Candidates<F> {
    logits: F,
    largest: i32,
    exponent_per_logit: u64,
}

/// How characters are counted.
#[derive(Clone, Copy)]
enum Measure {
    Number,
    Weight,
}

impl<I: Iterator<Item = i32>, F: Fn() -> I> Candidates<F> {
    /// How much a character with this logit counts.
    #[inline(never)] // inlining would duplicate this code, here and below
    fn count_of(&self, logit: i32, measure: Measure) -> u32 {
        if matches!(measure, Measure::Number) {
            return 1;
        }
        weight(scale(self.exponent_per_logit, self.largest.abs_diff(logit)))
    }

    /// The sum over all logits from `least` on: below 2⁴⁶, with 65,535 characters of at most 2³⁰.
    #[inline(never)]
    fn sum_from(&self, least: i32, measure: Measure) -> u64 {
        let counted = (self.logits)().filter(|&logit| logit >= least);
        counted.map(|logit| u64::from(self.count_of(logit, measure))).sum()
    }

    /// The highest threshold from which on the logits sum to more than `bound`, or the lowest.
    #[inline(never)]
    fn highest_threshold(&self, measure: Measure, bound: u64) -> i32 {
        let mut threshold = i32::MIN;
        for bit in (0..32).rev() {
            // Starts from `i32::MIN`, to which adding the highest bit gives zero.
            let higher = threshold.wrapping_add(1 << bit);
            if self.sum_from(higher, measure) > bound {
                threshold = higher;
            }
        }
        threshold
    }

    /// The first token at which the cumulative weight of the logits at or above `threshold` exceeds
    /// `rest`.
    fn at(&self, threshold: i32, mut rest: u64) -> Option<Token> {
        for (logit, token) in (self.logits)().zip(0..) {
            if logit >= threshold {
                match rest.checked_sub(self.count_of(logit, Measure::Weight).into()) {
                    Some(less) => rest = less,
                    None => return Some(token),
                }
            }
        }
        None
    }
}

/// 2^(30 − `exponent`/256), to within 2: the weight of a character `exponent`/256 octaves below the
/// most probable one. Characters below 2⁻³⁰ of that are never drawn; even 65,534 of them together
/// have less than 10⁻⁴ of the probability.
fn weight(exponent: u64) -> u32 {
    /// 2^(31 − n/16) and 2^(31 − n/256); any power is a product of one of each.
    static POWERS: [[u32; 16]; 2] =
        [powers(0.957_603_280_698_573_7), powers(0.997_296_056_085_470_1)];
    let ([sixteenths, fine], number) = (&POWERS, exponent as usize);
    #[expect(clippy::indexing_slicing, reason = "a remainder of 16 is below 16")]
    let (sixteenth, fine) = (sixteenths[number / 16 % 16], fine[number % 16]);
    let power = (u64::from(sixteenth) * u64::from(fine)) >> 32;
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

/// ⌊`number` · `factor` / 2³²⌋.
fn scale(number: u64, factor: u32) -> u64 {
    let product = |digits: u32| u64::from(digits) * u64::from(factor);
    product((number >> 32) as u32) + (product(number as u32) >> 32)
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::vec;
    use std::vec::Vec;

    use rand_core::Rng;
    use rand_pcg::Pcg32;

    use super::{Sampler, Sampling, weight};

    /// Logits in units of 2⁻¹⁶ nats.
    const NATS_PER_LOGIT_Q32: u32 = 1 << 16;

    const OWN: Sampling = Sampling::random();

    fn logits(probabilities: &[f64]) -> Vec<i32> {
        probabilities.iter().map(|p| (p.ln() * 65_536.0).round() as i32).collect()
    }

    /// The tokens chosen for these `random` numbers.
    fn tokens(
        sampling: Sampling,
        probabilities: &[f64],
        random: impl Iterator<Item = u32>,
    ) -> impl Iterator<Item = usize> {
        let logits = logits(probabilities);
        let sampler = Sampler::new(sampling, NATS_PER_LOGIT_Q32);
        random.map(move |number| sampler.choose(|| number, || logits.iter().copied()).into())
    }

    /// How often each token is chosen in this many `draws`.
    fn counts(sampling: Sampling, probabilities: &[f64], draws: usize) -> Vec<f64> {
        let mut random = Pcg32::new(sampling.seed, 1);
        let random = iter::repeat_with(|| random.next_u32()).take(draws);
        let mut counts = vec![0.0; probabilities.len()];
        for token in tokens(sampling, probabilities, random) {
            counts[token] += 1.0;
        }
        counts
    }

    /// The probabilities after `sampling`, in floating point.
    fn expected(sampling: Sampling, probabilities: &[f64]) -> Vec<f64> {
        let cut = |probabilities: &mut Vec<f64>, least: f64| {
            probabilities.iter_mut().for_each(|p| *p = if *p < least { 0.0 } else { *p });
            let sum: f64 = probabilities.iter().sum();
            probabilities.iter_mut().for_each(|p| *p /= sum);
        };
        let sorted = |probabilities: &[f64]| {
            let mut sorted = probabilities.to_vec();
            sorted.sort_by(|a, b| b.total_cmp(a));
            sorted
        };
        let exponent = 1000.0 / f64::from(sampling.temperature_milli);
        let largest = probabilities.iter().copied().fold(0.0, f64::max);
        let mut expected = probabilities.iter().map(|p| (p / largest).powf(exponent)).collect();
        cut(&mut expected, 0.0);
        if sampling.top_k > 0 {
            let least = sorted(&expected)[usize::from(sampling.top_k) - 1];
            cut(&mut expected, least);
        }
        if sampling.top_p_milli < 1000 {
            let mut rest = f64::from(sampling.top_p_milli) / 1000.0;
            let is_last = |p: &f64| {
                rest -= p;
                rest <= 0.0
            };
            let least = sorted(&expected).into_iter().find(is_last).unwrap();
            cut(&mut expected, least);
        }
        expected
    }

    /// A probability of `share`, spread equally over `number` characters.
    fn flat(share: f64, number: usize) -> impl Iterator<Item = f64> {
        iter::repeat_n(share / number as f64, number)
    }

    /// Each character is half as probable as the one with half its number.
    fn zipf(share: f64, number: usize) -> impl Iterator<Item = f64> {
        let sum: f64 = (1..=number).map(|n| 1.0 / n as f64).sum();
        (1..=number).map(move |n| share / (n as f64 * sum))
    }

    #[test]
    fn weights_are_powers_of_two() {
        for exponent in 0..10_000 {
            let exact = 2_f64.powf(30.0 - exponent as f64 / 256.0);
            assert!((f64::from(weight(exponent)) - exact).abs() < 2.0, "{exponent}");
        }
        assert_eq!(weight(u64::MAX), 0);
        // The number given in `docs/artifact-format.md`.
        let powers: Vec<u8> = (0..256).flat_map(|n| weight(n).to_le_bytes()).collect();
        let checksum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&powers);
        assert_eq!(checksum, 0x5827_2f40);
    }

    #[test]
    fn the_specifications_example_is_true() {
        let sampler = Sampler::new(OWN, NATS_PER_LOGIT_Q32);
        assert_eq!(sampler.exponent_per_logit, 24_204_404);
        assert_eq!([0, 369, 3_693].map(weight), [1_073_741_824, 395_360_568, 48_787]);
        let logits = || [0, -65_536, -655_360].into_iter();
        // Also where one token ends and the next one starts.
        let random = [0xBB19_8D2B, 0xBB19_8D2C, 0xC000_0000, 0xFFFD_D2DE, 0xFFFD_D2DF];
        assert_eq!(random.map(|u| sampler.choose(|| u, logits)), [0, 1, 1, 1, 2]);
    }

    #[test]
    fn characters_are_drawn_as_often_as_they_are_probable() {
        const DRAWS: usize = 50_000;
        let shapes: [Vec<f64>; 3] = [
            vec![0.5, 0.3, 0.15, 0.05],
            zipf(0.9, 50).chain(flat(0.1, 250)).collect(),
            zipf(1.0, 300).collect(),
        ];
        let cold = OWN.with_temperature_milli(700);
        let (most, first) = (OWN.with_top_p_milli(750), OWN.with_top_p_milli(0));
        let samplings = [OWN, cold, OWN.with_top_k(3), most, first, Sampling::greedy()];
        for (shape, sampling) in
            shapes.iter().flat_map(|shape| samplings.map(|sampling| (shape, sampling)))
        {
            let (mut chi_squared, mut freedom) = (0.0, -1.0);
            let counts = counts(sampling, shape, DRAWS);
            for (count, probability) in counts.into_iter().zip(expected(sampling, shape)) {
                let expected = probability * DRAWS as f64;
                if expected > 0.0 {
                    chi_squared += (count - expected).powi(2) / expected;
                    freedom += 1.0;
                } else {
                    assert_eq!(count, 0.0, "{sampling:?}");
                }
            }
            // Four standard deviations.
            let limit = freedom + 4.0 * f64::sqrt(2.0 * freedom);
            assert!(chi_squared <= limit, "{sampling:?}: {chi_squared}, {freedom} are expected");
        }
    }

    #[test]
    fn no_mass_is_lost_among_many_characters() {
        const STEPS: u32 = 64;
        let random = || (0..STEPS).map(|n| n * (u32::MAX / STEPS));
        for probabilities in [
            zipf(0.9, 100).chain(flat(0.1, 4_900)).collect::<Vec<_>>(),
            zipf(0.6, 5_000).chain(flat(0.4, 60_000)).collect(),
            zipf(1.0, 65_535).collect(),
            flat(0.4, 65_534).chain([0.6]).collect(),
            flat(1.0, 65_535).collect(),
            flat(0.0, 65_534).chain([1.0]).collect(), // all are masked but one
        ] {
            for sampling in [
                OWN,
                OWN.with_temperature_milli(100),
                OWN.with_temperature_milli(60_000),
                OWN.with_top_k(1000),
                OWN.with_top_p_milli(950),
                OWN.with_top_k(4000).with_top_p_milli(500),
            ] {
                let expected = expected(sampling, &probabilities);
                for (token, number) in tokens(sampling, &probabilities, random()).zip(random()) {
                    // Selects the token at which this share of the probability is reached.
                    let share = f64::from(number) / 2_f64.powi(32);
                    let before: f64 = expected[..token].iter().sum();
                    let is_right =
                        before - 0.001 < share && share < before + expected[token] + 0.001;
                    assert!(is_right, "{sampling:?}: {token} at {share}");
                }
            }
        }
    }
}
