//! Leaving a share of the hidden states out on their way up (arXiv 1409.2329).

use charcell_shaders::Dropout;

use crate::iteration::hash;

/// Multiplies each of `values`, some rows `[b, H]` of a step of a layer, by its factor; the first
/// of them is `first_element` of all layers' outputs `[L, T, B, H]`. A hash of an element's index
/// decides, so every device leaves out the same, in any order.
pub(super) fn dropout(values: &mut [f32], first_element: u32, dropout: Dropout) {
    for (element, value) in (0..).zip(values) {
        *value *= factor(first_element.wrapping_add(element), dropout);
    }
}

/// The factor of `element`: 0, or what makes up for the others.
fn factor(element: u32, dropout: Dropout) -> f32 {
    let is_kept = hash(hash(element).wrapping_add(dropout.seed)) >= dropout.threshold;
    if is_kept { dropout.scale } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::iteration;

    #[test]
    fn the_share_is_left_out_and_the_mean_stays() {
        let config = Config { dropout: 0.3, seed: 7, ..Config::default() };
        let factors = |iteration| {
            let mut values = vec![1.0; 100_000];
            dropout(&mut values, u32::MAX - 5, iteration::dropout(&config, iteration).unwrap());
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
        assert!(iteration::dropout(&Config::default(), 0).is_none());
    }
}
