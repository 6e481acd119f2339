//! What a training starts from: nothing, another run's weights, or its own checkpoint.

use std::path::{Path, PathBuf};

use charcell::model::{Architecture, Dimensions, Parameters, TrainedModel};
use charcell::text::{Corpus, Source};
use charcell::{
    ArtifactError, Backend, Config, DeviceError, Pretrained, Teacher, Training, TrainingError,
};

use crate::error::Error;
use crate::output::tell;
use crate::run_folder::{LastCheckpoint, RunError, RunFolder};
use crate::shell::shell_path;

/// What a training starts from.
pub(super) enum Start {
    /// Random weights.
    Drawn,
    /// The weights of another run.
    Pretrained(Box<Pretrained>),
    /// Its last checkpoint.
    Resumed(Box<LastCheckpoint>),
}

impl Start {
    /// Reads the run whose weights the training starts from.
    ///
    /// # Errors
    /// [`RunError::NotARun`] says what is missing or wrong.
    pub(super) fn from_run(run: PathBuf) -> Result<Self, RunError> {
        Ok(Self::Pretrained(Box::new(of_run(run, Pretrained::new)?)))
    }

    /// Reads the teacher: the run in the folder `given`, or the one that taught a training that is
    /// resumed, if any.
    ///
    /// # Errors
    /// [`RunError::Teacher`] says what is missing or wrong.
    pub(super) fn teacher(&self, given: Option<&Path>) -> Result<Option<Teacher>, RunError> {
        let earlier = match self {
            Self::Resumed(last) => last.checkpoint.description().config.teacher.as_ref(),
            Self::Drawn | Self::Pretrained(_) => None,
        };
        let run = given.or(earlier.map(|teacher| teacher.run.as_path()));
        let teacher = run.map(|run| of_run(run.to_owned(), Teacher::new)).transpose();
        teacher.map_err(|source| RunError::Teacher { source: Box::new(source) })
    }

    /// Reads the last checkpoint of the run in `path`, and keeps other trainings out of it.
    ///
    /// # Errors
    /// Those of [`RunFolder::resume`] and [`RunFolder::last_checkpoint`].
    pub(super) fn resumed(path: PathBuf) -> Result<(Self, RunFolder), RunError> {
        let mut folder = RunFolder::resume(path)?;
        let last = folder.last_checkpoint()?;
        for reason in &last.damaged {
            tell(format_args!("{reason}; using the checkpoint before it"));
        }
        let epochs = last.checkpoint.epochs();
        tell(format_args!("resuming {} after epoch {epochs}", folder.path().display()));
        Ok((Self::Resumed(Box::new(last)), folder))
    }

    /// How the corpus is made by default.
    pub(super) fn source(&self) -> Source {
        match self {
            Self::Drawn => Source::default(),
            Self::Pretrained(pretrained) => {
                let TrainedModel { normalisation, vocabulary, .. } = pretrained.model();
                let (normalisation, replacement) = (*normalisation, vocabulary.replacement());
                Source { normalisation, replacement, ..Source::default() }
            }
            Self::Resumed(last) => last.checkpoint.description().source.clone(),
        }
    }

    /// `config` with the sizes of the model whose weights the training starts from, if it does.
    pub(super) fn with_sizes(&self, config: Config) -> Config {
        let Self::Pretrained(pretrained) = self else { return config };
        let Architecture { dimensions, embedding } = pretrained.model().parameters.architecture();
        let Dimensions { hidden, layers, .. } = dimensions;
        Config { hidden, layers, embedding, ..config }
    }

    /// Checks that a training with `config` on `corpus` can start from this.
    ///
    /// # Errors
    /// Those of [`Config::check`], [`Pretrained::check`] and
    /// [`Checkpoint::check`](charcell::Checkpoint::check).
    pub(super) fn check(&self, config: &Config, corpus: &Corpus) -> Result<(), Error> {
        match self {
            Self::Drawn => {}
            Self::Pretrained(pretrained) => pretrained.check(config)?,
            Self::Resumed(last) => {
                last.checkpoint.check(config, corpus).map_err(TrainingError::from)?;
            }
        }
        Ok(config.check(corpus)?)
    }

    /// Reports what a training with the vocabulary of `corpus` takes from another run.
    pub(super) fn tell(&self, corpus: &Corpus) {
        if let Self::Pretrained(pretrained) = self {
            let run = shell_path(&pretrained.origin().run);
            let matching = pretrained.matching(corpus.vocabulary());
            tell(format_args!("starting from the weights of {run}; {matching}"));
        }
    }

    /// Completed epochs.
    pub(super) fn epochs(&self) -> usize {
        match self {
            Self::Resumed(last) => last.checkpoint.epochs(),
            _ => 0,
        }
    }

    /// Prepares the training on the backends that `backend` makes from parameters and settings, for
    /// itself and for its `teacher`.
    ///
    /// # Errors
    /// Those of [`Training`] and of the device.
    pub(super) async fn training<'a, B: Backend>(
        self,
        corpus: &'a Corpus,
        config: &Config,
        teacher: Option<&Teacher>,
        backend: impl AsyncFn(Parameters, &Config) -> Result<B, DeviceError>,
    ) -> Result<Training<'a, B>, charcell::Error> {
        let own = async |parameters| backend(parameters, config).await;
        let training = match self {
            Self::Drawn => Training::new(corpus, config, own).await,
            Self::Pretrained(pretrained) => {
                Training::from_pretrained(corpus, config, &pretrained, own).await
            }
            Self::Resumed(last) => {
                let LastCheckpoint { checkpoint, metrics, .. } = *last;
                Training::resume(corpus, config, &checkpoint, metrics, own).await
            }
        }?;
        match teacher {
            Some(teacher) => training.with_teacher(teacher, backend).await,
            None => Ok(training),
        }
    }
}

/// What `make` makes of the model of the run in the folder `run`.
///
/// # Errors
/// [`RunError::NotARun`] says what is missing or wrong.
fn of_run<T>(
    run: PathBuf,
    make: impl FnOnce(TrainedModel, PathBuf) -> Result<T, ArtifactError>,
) -> Result<T, RunError> {
    let unfit = |reason: String| RunError::NotARun { path: run.clone(), reason };
    if run.to_str().is_none() {
        return Err(unfit("its path is not UTF-8, so run.json couldn't name it".into()));
    }
    let model = RunFolder::open(run.clone())?.model()?;
    make(model, run.clone()).map_err(|error| unfit(error.to_string()))
}
