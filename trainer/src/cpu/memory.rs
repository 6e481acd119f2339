//! Whether a training fits the memory: asked beforehand, for a system may well promise more than it
//! has, and end the program that takes it at its word.

use std::fs;

use infer_core::layout::GATES;

use crate::config::Config;
use crate::error::DeviceError;
use crate::model::{Dimensions, Parameters};

/// Copies of the parameters: those in training, packed for either pass, their gradients, those to
/// go back to, and the model's.
const PARAMETER_COPIES: f64 = 6.0;

/// Numbers of `[T, b, H]` that a layer keeps beside its gates: cell state, its tanh, hidden state.
const STATES: usize = 3;

/// Refuses a training that needs more than the system has to give.
pub(super) fn check(dimensions: Dimensions, config: &Config) -> Result<(), DeviceError> {
    let needed_bytes = needed_bytes(dimensions, config);
    match available_bytes() {
        Some(available_bytes) if needed_bytes > available_bytes => {
            Err(DeviceError::Memory { needed_bytes, available_bytes })
        }
        _ => Ok(()),
    }
}

fn needed_bytes(dimensions: Dimensions, config: &Config) -> f64 {
    let Dimensions { vocabulary, hidden, layers } = dimensions;
    let states = STATES + usize::from(config.dropout > 0.0);
    let numbers_per_character = layers * (GATES + states) * hidden + hidden + vocabulary;
    let characters = config.batch_size as f64 * config.num_steps as f64;
    let activations = characters * numbers_per_character as f64;
    let copies = PARAMETER_COPIES + if config.optimizer.has_moments() { 2.0 } else { 0.0 };
    let parameters = copies * Parameters::element_count(dimensions) as f64;
    (activations + parameters) * size_of::<f32>() as f64
}

/// What the system has to give without moving anything to a disk; unknown where it isn't Linux.
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
    fn the_chapters_training_takes_a_few_megabytes() {
        let megabytes = needed_bytes(DIMENSIONS, &Config::default()) * 1e-6;
        assert!((10.0..20.0).contains(&megabytes), "{megabytes} MB");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn more_than_there_is_is_refused() {
        check(DIMENSIONS, &Config::default()).unwrap();
        let huge = Config { batch_size: 1 << 40, num_steps: 1 << 40, ..Config::default() };
        let error = check(DIMENSIONS, &huge).unwrap_err();
        assert!(matches!(error, DeviceError::Memory { .. }), "{error}");
    }
}
