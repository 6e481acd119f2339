//! The folder of a training run.
//!
//! | file | what it holds |
//! |---|---|
//! | `run.json` | configuration, normalisation, vocabulary, seed, version, corpus checksum |
//! | `weights.safetensors` | the parameters, as PyTorch names them |
//! | `metrics.jsonl` | an [`EpochReport`](crate::EpochReport) a line |
//! | `model.postcard` | the artifact |

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use infer_core::Normalisation;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::Error;
use crate::export::{from_safetensors, to_safetensors};
use crate::model::{Dimensions, TrainedModel};
use crate::text::{Corpus, Vocabulary};
use crate::training::{Config, EpochReport};

const DESCRIPTION: &str = "run.json";
const WEIGHTS: &str = "weights.safetensors";
const METRICS: &str = "metrics.jsonl";
const ARTIFACT: &str = "model.postcard";

/// What `run.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// Version of Charcell that trained.
    pub charcell_version: String,
    /// All settings.
    pub config: Config,
    /// Epochs that the weights have been through.
    pub epochs: usize,
    /// What was done to the corpus.
    pub normalisation: Normalisation,
    /// The characters in the order of their tokens.
    pub vocabulary: Vec<char>,
    /// Characters of the corpus.
    pub corpus_characters: usize,
    /// CRC-32 of the normalised corpus.
    pub corpus_checksum: u32,
}

impl Description {
    /// Describes a run on `corpus` that has been through `epochs`.
    #[must_use]
    pub fn new(corpus: &Corpus, config: &Config, epochs: usize) -> Self {
        Self {
            charcell_version: env!("CARGO_PKG_VERSION").into(),
            config: config.clone(),
            epochs,
            normalisation: corpus.normalisation(),
            vocabulary: corpus.vocabulary().characters().into(),
            corpus_characters: corpus.tokens().len(),
            corpus_checksum: corpus.checksum(),
        }
    }
}

/// A folder that holds, or will hold, one training run.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
    /// The folders that were made for it, from the innermost out.
    made: Vec<PathBuf>,
}

impl RunFolder {
    /// Makes the folder `path`. One that exists is taken if it is empty, or with `force`: the run
    /// in it stays whole until [`save`](Self::save) replaces its files.
    ///
    /// # Errors
    /// [`Error::RunExists`], or [`Error::RunFolder`] if the folder can't be made or written in.
    pub fn create(path: PathBuf, force: bool) -> Result<Self, Error> {
        let error = |source| Error::RunFolder { path: path.clone(), source };
        let made = missing(&path);
        fs::create_dir_all(&path).map_err(error)?;
        if !force && fs::read_dir(&path).map_err(error)?.next().is_some() {
            return Err(Error::RunExists { path });
        }
        // Better to find out now than after the training.
        temporary_file(&path).map_err(error)?;
        Ok(Self { path, made })
    }

    /// Makes the first folder of `parent/001`, `parent/002`, … that isn't there yet.
    ///
    /// # Errors
    /// [`Error::RunFolder`].
    pub fn fresh(parent: &Path) -> Result<Self, Error> {
        let error = |source| Error::RunFolder { path: parent.into(), source };
        let mut made = missing(parent);
        fs::create_dir_all(parent).map_err(error)?;
        let mut number = 1;
        loop {
            let path = parent.join(format!("{number:03}"));
            match fs::create_dir(&path) {
                Ok(()) => {
                    made.insert(0, path.clone());
                    return Ok(Self { path, made });
                }
                Err(exists) if exists.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(source) => return Err(error(source)),
            }
        }
    }

    /// The folder of a run that is there.
    ///
    /// # Errors
    /// [`Error::NotARun`] if it has no `run.json`.
    pub fn open(path: PathBuf) -> Result<Self, Error> {
        if path.join(DESCRIPTION).is_file() {
            return Ok(Self { path, made: Vec::new() });
        }
        Err(Error::NotARun { path, reason: format!("it has no {DESCRIPTION}") })
    }

    /// Takes the folders that were made for the run away again, as far as nothing is in them.
    pub fn remove_if_empty(&self) {
        for folder in &self.made {
            // A folder that isn't empty can't be removed so, which is what is wanted.
            let _ = fs::remove_dir(folder);
        }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the artifact lies.
    #[must_use]
    pub fn artifact_path(&self) -> PathBuf {
        self.path.join(ARTIFACT)
    }

    /// Writes all files of a run but the artifact; that of a run that was here before is removed.
    ///
    /// Each file is written whole or not at all, and all of them before the first takes its place:
    /// a disk that is full leaves the run from before as it was.
    ///
    /// # Errors
    /// [`Error::Write`].
    ///
    /// # Panics
    /// Never: the values can all be written as JSON.
    pub fn save(
        &self,
        description: &Description,
        model: &TrainedModel,
        metrics: &[EpochReport],
    ) -> Result<(), Error> {
        let lines: String = metrics.iter().map(|report| to_json(report) + "\n").collect();
        let description =
            serde_json::to_string_pretty(description).expect("plain values as JSON") + "\n";
        let files = [
            Staged::write(self.path.join(WEIGHTS), &to_safetensors(&model.parameters))?,
            Staged::write(self.path.join(METRICS), lines.as_bytes())?,
            Staged::write(self.path.join(DESCRIPTION), description.as_bytes())?,
        ];
        let path = self.artifact_path();
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(Error::Write { path, source });
            }
            _ => {}
        }
        files.into_iter().try_for_each(Staged::take_place)
    }

    /// Reads the model of a run.
    ///
    /// # Errors
    /// [`Error::NotARun`] says what is missing or wrong.
    pub fn model(&self) -> Result<TrainedModel, Error> {
        let not_a_run = |reason| Error::NotARun { path: self.path.clone(), reason };
        let in_description =
            |error: &dyn std::fmt::Display| not_a_run(format!("{DESCRIPTION}: {error}"));
        let read = |name: &str| {
            fs::read(self.path.join(name)).map_err(|error| not_a_run(format!("{name}: {error}")))
        };
        let description: Description =
            serde_json::from_slice(&read(DESCRIPTION)?).map_err(|error| in_description(&error))?;
        description.config.check_sizes().map_err(|error| in_description(&error))?;
        let text: String = description.vocabulary.iter().collect();
        let vocabulary = Vocabulary::of(&text).map_err(|error| in_description(&error))?;
        if vocabulary.characters() != description.vocabulary {
            return Err(in_description(&"the vocabulary is not in order"));
        }
        let dimensions = Dimensions {
            vocabulary: vocabulary.size(),
            hidden: description.config.hidden,
            layers: description.config.layers,
        };
        let parameters = from_safetensors(&read(WEIGHTS)?, dimensions)
            .map_err(|reason| not_a_run(format!("{WEIGHTS}: {reason}")))?;
        Ok(TrainedModel {
            parameters,
            vocabulary,
            normalisation: description.normalisation,
            prefixes: description.config.prefixes,
        })
    }
}

/// `path` and the folders around it, as far as they aren't there, from the innermost out.
fn missing(path: &Path) -> Vec<PathBuf> {
    let folders = path.ancestors().take_while(|folder| !folder.as_os_str().is_empty());
    folders.take_while(|folder| !folder.exists()).map(Path::to_path_buf).collect()
}

fn to_json(report: &EpochReport) -> String {
    serde_json::to_string(report).expect("plain values as JSON")
}

/// Writes `bytes` to `path`, whole or not at all: to a temporary file beside it, which then takes
/// its place.
///
/// # Errors
/// [`Error::Write`]; what was at `path` before is still there then.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    Staged::write(path.into(), bytes)?.take_place()
}

/// A file that is written and synced, but not yet at its place; dropped, it is gone.
struct Staged {
    file: NamedTempFile,
    path: PathBuf,
}

impl Staged {
    fn write(path: PathBuf, bytes: &[u8]) -> Result<Self, Error> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let write = || {
            let mut file = temporary_file(folder.unwrap_or(Path::new(".")))?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        match write() {
            Ok(file) => Ok(Self { file, path }),
            Err(source) => Err(Error::Write { path, source }),
        }
    }

    fn take_place(self) -> Result<(), Error> {
        let Self { file, path } = self;
        match file.persist(&path) {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::Write { path, source: error.error }),
        }
    }
}

/// A file in `folder` that is gone when it is dropped; as readable as any other, for it may become
/// a result.
fn temporary_file(folder: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().make_in(folder, |path| File::create_new(path))
}
