//! Artifacts in int8, which every command that writes one compares with f32.

use charcell::model::TrainedModel;
use charcell::{Artifact, Int8Loss, int8_artifact};
use clap::Args;

use crate::error::Error;

#[derive(Debug, Args)]
pub(super) struct Int8Arguments {
    /// Write int8 even if it predicts so much worse than f32 that it would be refused.
    #[arg(long)]
    pub(super) allow_loss: bool,
}

impl Int8Arguments {
    /// The int8 artifact of `model`, and what it costs on `text`, as [`int8_artifact`] has it.
    ///
    /// # Errors
    /// [`ArtifactError::Int8Loss`](charcell::ArtifactError::Int8Loss) if that is too much and isn't
    /// allowed; as [`int8_artifact`].
    pub(super) fn artifact(
        &self,
        model: &TrainedModel,
        text: &str,
    ) -> Result<(Artifact, Int8Loss), Error> {
        let (artifact, loss) = int8_artifact(model, text)?;
        if !self.allow_loss {
            loss.check()?;
        }
        Ok((artifact, loss))
    }
}
