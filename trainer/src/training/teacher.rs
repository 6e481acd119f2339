//! Learning from the predictions of another model: knowledge distillation (Hinton, Vinyals and Dean
//! 2015, arXiv 1503.02531).

use std::path::PathBuf;

use super::{Pretrained, Training};
use crate::backend::{Backend, MAX_ITERATIONS};
use crate::characters::missing;
use crate::config::Config;
use crate::error::{ArtifactError, DeviceError, Error, TrainingError};
use crate::model::{Architecture, Dimensions, Origin, Parameters, Precision, TrainedModel};
use crate::text::{Corpus, Window};

/// The most bytes of a teacher's logits that windows carry at once.
const LOGITS_BYTES: usize = 64 << 20;

/// A model of any size whose probabilities are half of what another model learns.
#[derive(Debug, Clone)]
pub struct Teacher(Pretrained);

impl Teacher {
    /// The `model` of the run in the folder `run`.
    ///
    /// # Errors
    /// [`ArtifactError::Weight`] names a weight that is infinite or not a number.
    pub fn new(model: TrainedModel, run: PathBuf) -> Result<Self, ArtifactError> {
        let parameters = model.effective_parameters();
        let model = TrainedModel { parameters, precision: Precision::F32, ..model };
        Pretrained::new(model, run).map(Self)
    }

    /// Where it comes from: [`Config::teacher`] of the trainings that it teaches.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        self.0.origin()
    }

    /// Checks that it can read `corpus`.
    ///
    /// # Errors
    /// [`TrainingError::TeacherNormalisation`], [`TrainingError::TeacherLacks`].
    pub fn check(&self, corpus: &Corpus) -> Result<(), TrainingError> {
        let TrainedModel { vocabulary, normalisation, .. } = self.0.model();
        let run = self.origin().run.clone();
        let normalisation = *normalisation;
        if corpus.normalisation() != normalisation {
            return Err(TrainingError::TeacherNormalisation { run, normalisation });
        }
        let characters = missing(corpus.vocabulary().characters(), vocabulary.characters());
        if !characters.is_empty() {
            return Err(TrainingError::TeacherLacks { run, characters });
        }
        Ok(())
    }

    /// Its parameters for the vocabulary of `corpus`. Without the logits of other characters, the
    /// softmax of those that are left makes up 1.
    fn parameters(&self, corpus: &Corpus) -> Parameters {
        let own = self.0.model().parameters.dimensions();
        let mut parameters =
            Parameters::zeros(Dimensions { vocabulary: corpus.vocabulary().size(), ..own });
        self.0.fill(&mut parameters, corpus.vocabulary());
        parameters
    }
}

impl<B: Backend> Training<'_, B> {
    /// Gives a training the teacher that its settings name, before its first
    /// [`advance`](Self::advance), with the backend that `backend` creates from the teacher's
    /// parameters and its settings.
    ///
    /// # Errors
    /// [`TrainingError::OtherTeacher`], the errors of [`Teacher::check`] and of the device.
    pub async fn with_teacher(
        mut self,
        teacher: &Teacher,
        backend: impl AsyncFnOnce(Parameters, &Config) -> Result<B, DeviceError>,
    ) -> Result<Self, Error> {
        let (named, given) = (self.config.teacher.as_ref(), teacher.origin());
        if named != Some(given) {
            let (named, given) = (shown(named), shown(Some(given)));
            return Err(TrainingError::OtherTeacher { named, given }.into());
        }
        teacher.check(self.corpus)?;
        let parameters = teacher.parameters(self.corpus);
        let Architecture { dimensions: Dimensions { hidden, layers, .. }, .. } =
            parameters.architecture();
        let &Config { batch_size, num_steps, .. } = &self.config;
        let config = Config { hidden, layers, batch_size, num_steps, ..Config::default() };
        self.teacher = Some(backend(parameters, &config).await?);
        self.repeat_lessons().await?;
        Ok(self)
    }

    /// Brings the teacher to the state that it has in the middle of an epoch, by running it on the
    /// windows before.
    async fn repeat_lessons(&mut self) -> Result<(), Error> {
        let Some(epoch) = &self.current else { return Ok(()) };
        let mut windows = epoch.windows.clone();
        if windows.next().is_none_or(|window| window.resets_state) {
            return Ok(());
        }
        windows.skip_to(0);
        let mut windows = windows.take(epoch.iterations_done()).peekable();
        let at_once = self.windows_to_teach();
        while windows.peek().is_some() {
            self.teach(&mut windows.by_ref().take(at_once).collect::<Vec<Window>>()).await?;
        }
        Ok(())
    }

    /// Adds the teacher's logits to the next `windows`, if there is a teacher.
    ///
    /// # Errors
    /// [`TrainingError::OtherTeacher`] if the teacher wasn't given; errors of the device.
    pub(super) async fn teach(&mut self, windows: &mut [Window]) -> Result<(), Error> {
        let Some(teacher) = &mut self.teacher else {
            return match &self.config.teacher {
                None => Ok(()),
                named => {
                    let (named, given) = (shown(named.as_ref()), shown(None));
                    Err(TrainingError::OtherTeacher { named, given }.into())
                }
            };
        };
        let logits = teacher.logits(windows).await?;
        let of_windows = logits.chunks_exact(logits.len() / windows.len());
        for (window, logits) in windows.iter_mut().zip(of_windows) {
            window.teacher = Some(logits.to_vec());
        }
        Ok(())
    }

    /// How many windows may carry the teacher's logits at once.
    pub(super) fn windows_to_teach(&self) -> usize {
        if self.teacher.is_none() {
            return usize::MAX;
        }
        let Config { batch_size, num_steps, .. } = self.config;
        let logits = batch_size * num_steps * self.corpus.vocabulary().size();
        (LOGITS_BYTES / size_of::<f32>() / logits).clamp(1, MAX_ITERATIONS)
    }
}

/// A teacher in an error.
fn shown(origin: Option<&Origin>) -> String {
    origin.map_or("none".into(), |Origin { run, weights_checksum }| {
        format!("{} with the checksum {weights_checksum}", run.display())
    })
}
