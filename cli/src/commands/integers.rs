//! Artifacts with weights in integers, which every command that writes one compares with f32.

use charcell::model::TrainedModel;
use charcell::{Artifact, IntegerLoss, Precision, integer_artifact};
use clap::Args;

use crate::error::Error;

#[derive(Debug, Args)]
pub(super) struct IntegerArguments {
    /// Write int8 or int4 even if it predicts so much worse than f32 that it would be refused.
    #[arg(long)]
    pub(super) allow_loss: bool,
}

impl IntegerArguments {
    /// The artifact of `model` in this `precision`, and its loss on `text`: see
    /// [`integer_artifact`].
    ///
    /// # Errors
    /// Those of [`integer_artifact`], and
    /// [`ArtifactError::IntegerLoss`](charcell::ArtifactError::IntegerLoss) if the loss is too
    /// large and not allowed.
    pub(super) fn artifact(
        &self,
        model: &TrainedModel,
        precision: Precision,
        text: &str,
    ) -> Result<(Artifact, IntegerLoss), Error> {
        let (artifact, loss) = integer_artifact(model, precision, text)?;
        if !self.allow_loss {
            loss.check(precision)?;
        }
        Ok((artifact, loss))
    }
}
