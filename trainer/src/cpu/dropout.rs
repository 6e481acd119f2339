//! Drops a share of the hidden states before the next layer reads them (arXiv 1409.2329).

use charcell_shaders::Dropout;

use crate::iteration::hash;

/// Multiplies each of `values`, some rows `[b, H]` of one step of one layer, by its factor. The
/// first value is element `first_element` of all layers' outputs `[L, T, B, H]`. A hash of an
/// element's index decides, so every device drops the same elements, in any order.
#[inline(always)]
pub(super) fn dropout(values: &mut [f32], first_element: u32, dropout: Dropout) {
    for (element, value) in (0..).zip(values) {
        *value *= factor(first_element.wrapping_add(element), dropout);
    }
}

/// The factor of `element`: 0, or the scale that compensates for the dropped ones.
#[inline(always)]
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
    fn the_share_is_dropped_and_the_mean_stays() {
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
