//! Where a corpus comes from: files, folders, or the text that ships with Charcell.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use infer_core::Normalisation;
use serde::{Deserialize, Serialize};
use walkdir::{DirEntry, WalkDir};

use super::Changes;
use crate::error::TextError;

/// *The Orrery*, a story written for Charcell, which `charcell train` learns without a corpus.
pub const SHIPPED_TEXT: &str = include_str!("../../text/the-orrery.txt");

/// How a corpus is made; a part of `run.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Files, and folders whose files are all taken, one after the other; none: the shipped text.
    pub files: Vec<PathBuf>,
    /// The first characters only, if not all.
    pub characters: Option<usize>,
    /// What is done to the text.
    pub normalisation: Normalisation,
    /// A file with the vocabulary, if it isn't that of the text.
    pub vocabulary: Option<PathBuf>,
    /// How often a character must occur to be in the vocabulary of the text.
    pub min_count: u64,
    /// What stands for all characters that aren't in the vocabulary.
    pub replacement: Option<char>,
}

impl Default for Source {
    /// All of the shipped text, normalised as in the chapter.
    fn default() -> Self {
        Self {
            files: Vec::new(),
            characters: None,
            normalisation: Normalisation::LowerCase,
            vocabulary: None,
            min_count: 1,
            replacement: None,
        }
    }
}

/// A text after its normalisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NormalisedText {
    /// The text.
    pub text: String,
    /// What was done to it.
    pub changes: Changes,
}

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;

impl Source {
    /// The text, normalised.
    ///
    /// # Errors
    /// [`TextError::Read`] or [`TextError::NotUtf8`] by file; [`TextError::NoCharacters`] if none
    /// is asked for.
    pub fn text(&self) -> Result<NormalisedText, TextError> {
        if self.files.is_empty() {
            return self.normalised(SHIPPED_TEXT);
        }
        let mut text = self.start()?;
        for path in &self.files {
            for file in files(path) {
                text.read(&file?)?;
            }
        }
        Ok(text.normalised)
    }

    /// Refuses a path that a run's description could not name.
    ///
    /// # Errors
    /// [`TextError::Path`].
    pub(super) fn check_paths(&self) -> Result<(), TextError> {
        match self.files.iter().chain(&self.vocabulary).find(|path| path.to_str().is_none()) {
            Some(path) => Err(TextError::Path { path: path.clone() }),
            None => Ok(()),
        }
    }

    /// As [`text`](Self::text), of `text`.
    pub(super) fn normalised(&self, text: &str) -> Result<NormalisedText, TextError> {
        let mut whole = self.start()?;
        whole.push(text);
        Ok(whole.normalised)
    }

    fn start(&self) -> Result<Text, TextError> {
        if self.characters == Some(0) {
            return Err(TextError::NoCharacters);
        }
        let left = self.characters.unwrap_or(usize::MAX);
        let normalised = NormalisedText { text: String::new(), changes: Changes::default() };
        Ok(Text { normalised, left, normalisation: self.normalisation })
    }
}

/// A text as it grows: whole characters, normalised as they come, so that no second copy is made.
struct Text {
    normalised: NormalisedText,
    /// Characters that may still come.
    left: usize,
    normalisation: Normalisation,
}

impl Text {
    fn push(&mut self, part: &str) {
        let NormalisedText { text, changes } = &mut self.normalised;
        let (normalisation, before) = (self.normalisation, self.left);
        text.extend(part.chars().take(before).map(|character| {
            self.left -= 1;
            let normalised = normalisation.apply(character);
            changes.count(character, normalised);
            normalised
        }));
    }

    fn read(&mut self, path: &Path) -> Result<(), TextError> {
        let error = |source| TextError::Read { path: path.into(), source };
        let mut file = File::open(path).map_err(error)?;
        // The start of a character whose end lies in the next chunk stays at the front.
        let (mut bytes, mut kept, mut offset) = (vec![0; CHUNK], 0, 0);
        while self.left > 0 {
            let count = match file.read(&mut bytes[kept..]) {
                Err(source) if source.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map_err(error)?,
            };
            let end = kept + count;
            let valid = match std::str::from_utf8(&bytes[..end]) {
                Ok(part) => part.len(),
                Err(error) if error.error_len().is_none() && count > 0 => error.valid_up_to(),
                Err(error) => {
                    let byte = offset + error.valid_up_to();
                    return Err(TextError::NotUtf8 { path: path.into(), byte });
                }
            };
            let part = std::str::from_utf8(&bytes[..valid]).expect("what was just found valid");
            // A byte order mark isn't a character of the text.
            let mark = if offset == 0 { '\u{feff}'.len_utf8() } else { 0 };
            self.push(if part.starts_with('\u{feff}') { &part[mark..] } else { part });
            bytes.copy_within(valid..end, 0);
            kept = end - valid;
            offset += valid;
            if count == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// `path`, or all files below it, if it is a folder, in the order of their paths; those whose names
/// begin with a dot are left out.
fn files(path: &Path) -> impl Iterator<Item = Result<PathBuf, TextError>> {
    let is_shown = |entry: &DirEntry| {
        entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.')
    };
    let entries = WalkDir::new(path).follow_links(true).sort_by_file_name().into_iter();
    entries.filter_entry(is_shown).filter_map(|entry| match entry {
        Ok(entry) => (!entry.file_type().is_dir()).then(|| Ok(entry.into_path())),
        Err(error) => {
            let path = error.path().unwrap_or(path).into();
            let is_within_itself = || io::Error::other("the folder is within itself");
            let source = error.into_io_error().unwrap_or_else(is_within_itself);
            Some(Err(TextError::Read { path, source }))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn text_of(files: Vec<PathBuf>, characters: Option<usize>) -> Result<String, TextError> {
        Source { files, characters, ..Source::default() }.text().map(|text| text.text)
    }

    #[test]
    fn a_folder_is_all_of_its_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        write("c.txt", "3");
        write("a.txt", "\u{feff}1");
        write("b/d.txt", "2É");
        write(".hidden", "0");
        let files = vec![folder.path().to_path_buf(), folder.path().join("a.txt")];
        assert_eq!(text_of(files, None).unwrap(), "12é31");
    }

    #[test]
    fn characters_that_lie_across_chunks_are_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        let text = format!("x{}", "é€𝄞".repeat(CHUNK / 4));
        fs::write(&path, &text).unwrap();
        assert!(text_of(vec![path.clone()], None).unwrap() == text);
        assert_eq!(text_of(vec![path.clone()], Some(3)).unwrap(), "xé€");

        let wrong = CHUNK + 10;
        let mut bytes = text.into_bytes();
        bytes[wrong] = 0xff;
        let start = (0..wrong).rev().find(|&at| bytes[at] & 0xc0 != 0x80).unwrap();
        fs::write(&path, &bytes).unwrap();
        let refused = text_of(vec![path.clone()], None);
        assert!(matches!(refused, Err(TextError::NotUtf8 { byte, .. }) if byte == start));
        bytes.truncate(wrong - 1);
        bytes.push(0xc3);
        fs::write(&path, bytes).unwrap();
        text_of(vec![path], None).unwrap_err();
    }

    /// Such a path would keep the run's description from being written.
    #[cfg(unix)]
    #[test]
    fn paths_are_such_as_a_description_can_name() {
        use std::os::unix::ffi::OsStrExt;

        let path = PathBuf::from(std::ffi::OsStr::from_bytes(b"caf\xe9"));
        let corpus = Source { files: vec![path.clone()], ..Source::default() };
        let vocabulary = Source { vocabulary: Some(path.clone()), ..Source::default() };
        for source in [corpus, vocabulary] {
            let refused = crate::text::Corpus::open(&source);
            assert!(matches!(refused, Err(TextError::Path { path: named }) if named == path));
        }
    }
}
