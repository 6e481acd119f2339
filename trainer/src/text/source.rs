//! Where a corpus comes from: files, folders, or the text that ships with Charcell.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use infer_core::Normalisation;
use serde::{Deserialize, Serialize};
use walkdir::{DirEntry, WalkDir};

use super::Changes;
use crate::error::TextError;

/// *The Orrery*, a story written for Charcell; `charcell train` uses it if no corpus is given.
pub const SHIPPED_TEXT: &str = include_str!("../../text/the-orrery.txt");

/// Where a corpus comes from and how it is processed; a part of `run.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Files, and folders of which every file is read, in order; none: the shipped text.
    pub files: Vec<PathBuf>,
    /// How many characters to use, from the start; nothing: all of them.
    pub characters: Option<usize>,
    /// How the text is normalised.
    pub normalisation: Normalisation,
    /// A file with the vocabulary; nothing: the vocabulary of the text.
    pub vocabulary: Option<PathBuf>,
    /// How often a character must occur in the text to be in its vocabulary.
    pub min_count: u64,
    /// The character that stands for all characters outside the vocabulary.
    pub replacement: Option<char>,
}

impl Default for Source {
    /// The whole shipped text, normalised as in the chapter.
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
    /// What normalisation changed.
    pub changes: Changes,
}

/// Bytes per read.
const CHUNK: usize = 1 << 20;

impl Source {
    /// The text, normalised.
    ///
    /// # Errors
    /// [`TextError::Read`] or [`TextError::NotUtf8`] with the file; [`TextError::NoCharacters`] if
    /// `characters` is 0.
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

    /// Refuses a path that can't be written to `run.json`.
    ///
    /// # Errors
    /// [`TextError::Path`].
    pub(super) fn check_paths(&self) -> Result<(), TextError> {
        match self.files.iter().chain(&self.vocabulary).find(|path| path.to_str().is_none()) {
            Some(path) => Err(TextError::Path { path: path.clone() }),
            None => Ok(()),
        }
    }

    /// As [`text`](Self::text), for the given `text`.
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

/// A text that grows by whole characters, which are normalised as they arrive, so that there is no
/// second copy.
struct Text {
    normalised: NormalisedText,
    /// Characters still wanted.
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
        // A character that continues in the next chunk is moved to the front of the buffer.
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
            let part = std::str::from_utf8(&bytes[..valid]).expect("bytes that were just checked");
            // A byte order mark isn't part of the text.
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

/// `path`, or, if it is a folder, all files below it, in the order of their paths. Names that begin
/// with a dot are skipped.
fn files(path: &Path) -> impl Iterator<Item = Result<PathBuf, TextError>> {
    let is_skipped = |depth: usize, path: &Path| {
        let name = path.file_name().filter(|_| depth > 0);
        name.is_some_and(|name| name.to_string_lossy().starts_with('.'))
    };
    let is_shown = move |entry: &DirEntry| !is_skipped(entry.depth(), entry.path());
    let entries = WalkDir::new(path).follow_links(true).sort_by_file_name().into_iter();
    entries.filter_entry(is_shown).filter_map(move |entry| match entry {
        Ok(entry) => (!entry.file_type().is_dir()).then(|| Ok(entry.into_path())),
        // Such as a link to nowhere, which some editors make beside an open file.
        Err(error) if error.path().is_some_and(|path| is_skipped(error.depth(), path)) => None,
        Err(error) => {
            let path = error.path().unwrap_or(path).into();
            let is_within_itself = || io::Error::other("the folder contains itself");
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

    #[cfg(unix)]
    #[test]
    fn hidden_links_to_nowhere_are_skipped() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.txt"), "1").unwrap();
        let link = |name: &str, to: &str| {
            std::os::unix::fs::symlink(to, folder.path().join(name)).unwrap();
        };
        link(".#a.txt", "nowhere");
        link(".loop", ".");
        let files = vec![folder.path().to_path_buf()];
        assert_eq!(text_of(files.clone(), None).unwrap(), "1");
        link("b.txt", "nowhere");
        text_of(files, None).unwrap_err();
    }

    #[test]
    fn characters_that_cross_chunks_are_read_whole() {
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

    /// With any other path, the run's description could not be written.
    #[cfg(unix)]
    #[test]
    fn paths_that_are_not_utf8_are_refused() {
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
