//! Differences between a run and the checkpoint it should resume from.

use serde_json::Value;

use crate::characters::missing;
use crate::config::{Config, Schedule};
use crate::error::{LengthSetting, Mismatch};
use crate::model::Precision;

/// Refuses a setting that differs.
pub(super) fn of_setting(
    setting: &str,
    here: Option<&Value>,
    there: Option<&Value>,
) -> Result<(), Mismatch> {
    if here == there {
        return Ok(());
    }
    let shown = |value: Option<&Value>| value.map_or("not set".into(), Value::to_string);
    Err(Mismatch::Setting { setting: setting.into(), here: shown(here), there: shown(there) })
}

/// Refuses a number of epochs with which a run of `there`, with `done` epochs done, can't resume.
pub(super) fn of_epochs(here: &Config, there: &Config, done: usize) -> Result<(), Mismatch> {
    let (here, length) = (here.epochs, there.epochs);
    match depends_on_length(there) {
        Some(setting) if here != length => Err(Mismatch::Length { setting, here, there: length }),
        _ if here < done => Err(Mismatch::Done { here, done }),
        _ => Ok(()),
    }
}

/// Refuses characters that only one of two vocabularies has.
pub(super) fn of_vocabularies(here: &[char], there: &[char]) -> Result<(), Mismatch> {
    let (missing_here, missing_there) = (missing(there, here), missing(here, there));
    if missing_here.is_empty() && missing_there.is_empty() {
        return Ok(());
    }
    Err(Mismatch::Vocabulary { missing_here, missing_there })
}

/// The setting that makes the course of the training depend on the total number of epochs.
fn depends_on_length(config: &Config) -> Option<LengthSetting> {
    if config.schedule == Schedule::Cosine {
        Some(LengthSetting::Cosine)
    } else if config.warm_up > 0.0 {
        Some(LengthSetting::WarmUp(config.warm_up))
    } else if config.weights == Precision::Int4 {
        Some(LengthSetting::Int4)
    } else if config.sparsity > 0.0 {
        Some(LengthSetting::Sparsity(config.sparsity))
    } else {
        None
    }
}
