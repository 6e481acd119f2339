//! Leaving a share of the hidden states out on their way up (arXiv 1409.2329).

use crate::Config;

/// Which elements an iteration leaves out: a hash of each one's place decides, so every device
/// leaves out the same, in any order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropout {
    /// Of the iteration.
    pub(crate) seed: u32,
    /// The share that is left out, as a part of 2³².
    pub(crate) threshold: u32,
    /// By which the others are multiplied, so that the mean stays the same.
    pub(crate) scale: f32,
}

impl Dropout {
    /// That of an iteration, from 0, if there is any.
    pub(crate) fn new(config: &Config, iteration: u64) -> Option<Self> {
        (config.dropout > 0.0).then(|| {
            let low = hash(config.seed as u32 ^ hash((config.seed >> 32) as u32));
            Self {
                seed: hash(hash(low ^ (iteration >> 32) as u32).wrapping_add(iteration as u32)),
                threshold: (f64::from(config.dropout) * 2_f64.powi(32)) as u32,
                scale: 1.0 / (1.0 - config.dropout),
            }
        })
    }

    /// The factor of `element`: 0, or what makes up for the others.
    fn factor(self, element: u32) -> f32 {
        let is_kept = hash(hash(element).wrapping_add(self.seed)) >= self.threshold;
        if is_kept { self.scale } else { 0.0 }
    }
}

/// Multiplies each of `values`, some rows `[b, H]` of a step of a layer, by its factor; the first
/// of them is `first_element` of all layers' outputs `[L, T, B, H]`.
pub(super) fn dropout(values: &mut [f32], first_element: u32, dropout: Dropout) {
    for (element, value) in (0..).zip(values) {
        *value *= dropout.factor(first_element.wrapping_add(element));
    }
}

/// A permutation of all u32 (PCG RXS-M-XS, "Hash Functions for GPU Rendering", JCGT 9.3).
fn hash(value: u32) -> u32 {
    let state = value.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let word = ((state >> ((state >> 28) + 4)) ^ state).wrapping_mul(277_803_737);
    (word >> 22) ^ word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_left_out_and_the_mean_stays() {
        let config = Config { dropout: 0.3, seed: 7, ..Config::default() };
        let factors = |iteration| {
            let mut values = vec![1.0; 100_000];
            dropout(&mut values, u32::MAX - 5, Dropout::new(&config, iteration).unwrap());
            values
        };
        let first = factors(0);
        let left_out = first.iter().filter(|&&factor| factor == 0.0).count();
        assert!((29_500..30_500).contains(&left_out), "{left_out}");
        let mean = first.iter().sum::<f32>() / first.len() as f32;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
        let same = first.iter().zip(factors(1)).filter(|&(&a, b)| a == b).count();
        assert!((57_000..59_000).contains(&same), "0.3² + 0.7² of {same}");
        assert!(factors(0) == first);
        assert!(Dropout::new(&Config::default(), 0).is_none());
    }
}
