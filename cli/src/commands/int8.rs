//! int8 artifacts, which every command that writes one compares with f32.

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
    /// The int8 artifact of `model`, and its loss on `text`: see [`int8_artifact`].
    ///
    /// # Errors
    /// Those of [`int8_artifact`], and
    /// [`ArtifactError::Int8Loss`](charcell::ArtifactError::Int8Loss) if the loss is too large and
    /// not allowed.
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
