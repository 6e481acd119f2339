//! Rejects states that no run can reach: resuming from them could never end, overflow, or compute
//! with numbers that aren't finite.

use super::{Checkpoint, Status, Sums};
use crate::config::Config;
use crate::error::CheckpointError;
use crate::model::Parameters;

/// Words that the random generator yields before it repeats.
pub(super) const RANDOM_WORDS: u128 = 1 << 68;

impl Checkpoint {
    /// Checks that a run can reach this state.
    pub(super) fn check_content(&self) -> Result<(), CheckpointError> {
        self.status.description.check()?;
        if self.has_fitting_lengths() && self.has_finite_parameters() && self.status.is_possible() {
            Ok(())
        } else {
            Err(CheckpointError::Numbers)
        }
    }

    fn has_fitting_lengths(&self) -> bool {
        let Status { description, best, .. } = &self.status;
        let Config { hidden, layers, batch_size, optimizer, .. } = description.config;
        let count = Parameters::element_count(description.architecture());
        let state = batch_size.checked_mul(layers * hidden);
        let of_count = |values: &Vec<f32>| values.len() == count;
        of_count(&self.parameters)
            && [&self.hidden, &self.cell].iter().all(|values| Some(values.len()) == state)
            && self.moments.is_some() == optimizer.has_moments()
            && self.moments.iter().flatten().all(of_count)
            && self.best.is_some() == best.is_some()
            && self.best.iter().all(of_count)
    }

    fn has_finite_parameters(&self) -> bool {
        let best = self.best.iter().flatten();
        self.parameters.iter().chain(best).all(|value| value.is_finite())
    }
}

impl Status {
    /// Whether its counts are possible in a run, and its measurements are finite.
    fn is_possible(&self) -> bool {
        let epochs = self.description.epochs;
        // An iteration has at least one character.
        let in_epoch = self.description.corpus_characters as u64;
        let in_all = (epochs as u64).saturating_add(1).saturating_mul(in_epoch);
        let Sums { loss_nats, gradient_norm, seconds } = self.sums;
        let sums = [loss_nats, gradient_norm, seconds];
        // Compared as bits: an epoch starts from 0, and -0 would be lost.
        let are_sums_at_start = sums.iter().all(|sum| sum.to_bits() == 0);
        self.random_position < RANDOM_WORDS
            && self.iterations_done as u64 <= in_epoch
            && self.iterations <= in_all
            && (self.iterations_done > 0 || are_sums_at_start)
            && sums.iter().all(|sum| sum.is_finite())
            && self.best.iter().all(|best| {
                best.perplexity.is_finite() && best.epoch.max(best.reports_since) <= epochs
            })
    }
}
