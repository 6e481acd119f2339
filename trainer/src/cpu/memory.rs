//! Checks that a run fits in memory. It is checked in advance, because a system may promise more
//! memory than it has and kill the program that uses it.

use std::fs;

use infer_core::layout::GATES;

use crate::config::Config;
use crate::error::DeviceError;
use crate::model::{Architecture, Dimensions, Parameters};

/// Copies of the parameters: those in training, those packed for each of the two passes, the
/// gradients, those to restore, and the model's.
const PARAMETER_COPIES: f64 = 6.0;

/// Arrays `[T, b, H]` that a layer keeps besides its gates: cell state, its tanh, hidden state.
const STATES: usize = 3;

/// Refuses a run that needs more memory than the system has available.
pub(super) fn check(architecture: Architecture, config: &Config) -> Result<(), DeviceError> {
    let needed_bytes = needed_bytes(architecture, config);
    match available_bytes() {
        Some(available_bytes) if needed_bytes > available_bytes => {
            Err(DeviceError::Memory { needed_bytes, available_bytes })
        }
        _ => Ok(()),
    }
}

fn needed_bytes(architecture: Architecture, config: &Config) -> f64 {
    let Dimensions { vocabulary, hidden, layers } = architecture.dimensions;
    let states = STATES + usize::from(config.dropout > 0.0);
    let numbers_per_character = layers * (GATES + states) * hidden + hidden + vocabulary;
    let characters = config.batch_size as f64 * config.num_steps as f64;
    let activations = characters * numbers_per_character as f64;
    let copies = PARAMETER_COPIES + if config.optimizer.has_moments() { 2.0 } else { 0.0 };
    let parameters = copies * Parameters::element_count(architecture) as f64;
    let mut effective = 0;
    if config.has_effective_parameters() {
        effective += Parameters::element_count(architecture.dimensions);
    }
    if architecture.embedding > 0 {
        // Gradients of each character's input weights.
        effective += vocabulary * GATES * hidden;
    }
    (activations + parameters + effective as f64) * size_of::<f32>() as f64
}

/// Memory that is available without swapping; unknown on systems other than Linux.
fn available_bytes() -> Option<f64> {
    let description = fs::read_to_string("/proc/meminfo").ok()?;
    let line = description.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIMENSIONS: Dimensions = Dimensions { vocabulary: 43, hidden: 256, layers: 1 };

    #[test]
    fn the_chapters_recipe_needs_a_few_megabytes() {
        let megabytes = needed_bytes(DIMENSIONS.into(), &Config::default()) * 1e-6;
        assert!((10.0..20.0).contains(&megabytes), "{megabytes} MB");
    }

    /// The parameters that the layers read, and the gradients of each character's input weights.
    #[test]
    fn an_embedding_needs_more_than_its_own_parameters() {
        let architecture = Architecture { dimensions: DIMENSIONS, embedding: 32 };
        let config = Config { embedding: 32, ..Config::default() };
        let more = needed_bytes(architecture, &config)
            - needed_bytes(DIMENSIONS.into(), &Config::default());
        let [with, without] =
            [architecture, DIMENSIONS.into()].map(|a| Parameters::element_count(a) as f64);
        let rows = (DIMENSIONS.vocabulary * GATES * DIMENSIONS.hidden) as f64;
        assert_eq!(more, 4.0 * (PARAMETER_COPIES * (with - without) + without + rows));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_run_larger_than_the_memory_is_refused() {
        check(DIMENSIONS.into(), &Config::default()).unwrap();
        let huge = Config { batch_size: 1 << 40, num_steps: 1 << 40, ..Config::default() };
        let error = check(DIMENSIONS.into(), &huge).unwrap_err();
        assert!(matches!(error, DeviceError::Memory { .. }), "{error}");
    }
}
