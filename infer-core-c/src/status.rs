//! Statuses returned by the functions, and their messages.

use core::ffi::{CStr, c_char, c_int};

use infer_core::LoadError;

/// The result of a call. A failed call changes nothing.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Success.
    Ok,
    /// A pointer is null.
    Null,
    /// The memory's address isn't a multiple of CHARCELL_MEMORY_ALIGNMENT.
    MemoryMisaligned,
    /// The memory is smaller than charcell_memory_bytes says.
    MemoryTooSmall,
    /// The text isn't UTF-8.
    NotUtf8,
    /// The text has a character that the model doesn't know and the artifact doesn't replace.
    UnknownCharacter,
    /// The artifact has no prefix with this index.
    NoPrefix,
    /// The artifact's address isn't a multiple of CHARCELL_ARTIFACT_ALIGNMENT.
    ArtifactMisaligned,
    /// The bytes aren't an artifact.
    NotAnArtifact,
    /// The artifact's format version isn't supported, or the artifact is compact and the library
    /// was built without its feature `compact`.
    Version,
    /// The artifact is cut short, or other bytes follow it.
    Length,
    /// The artifact's checksum doesn't match.
    Damaged,
    /// The artifact's weights aren't int8.
    NotInt8,
    /// The artifact's header contradicts itself, or a number in the header or among the constants
    /// is out of range.
    Header,
}

impl From<LoadError> for Status {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Misaligned { .. } => Self::ArtifactMisaligned,
            LoadError::NotAnArtifact => Self::NotAnArtifact,
            LoadError::Version { .. } | LoadError::UnknownFlags { .. } => Self::Version,
            LoadError::Truncated { .. } | LoadError::TrailingBytes { .. } => Self::Length,
            LoadError::Checksum { .. } => Self::Damaged,
            LoadError::NotInt8 => Self::NotInt8,
            _ => Self::Header,
        }
    }
}

/// A message in English that explains a status and says what to do about it.
#[unsafe(no_mangle)]
pub extern "C" fn charcell_status_message(status: c_int) -> *const c_char {
    let message = MESSAGES.iter().find(|&&(known, _)| known as c_int == status);
    message.map_or(c"not a charcell_status", |&(_, message)| message).as_ptr()
}

const MESSAGES: [(Status, &CStr); 14] = [
    (Status::Ok, c"done"),
    (Status::Null, c"a pointer is null"),
    (Status::MemoryMisaligned, c"the memory is misaligned: align it to CHARCELL_MEMORY_ALIGNMENT"),
    (
        Status::MemoryTooSmall,
        c"the memory is too small: charcell_memory_bytes tells how much is needed",
    ),
    (Status::NotUtf8, c"the text is not UTF-8"),
    (
        Status::UnknownCharacter,
        c"the text has a character that the model does not know: leave it out",
    ),
    (Status::NoPrefix, c"the artifact has no prefix with this index"),
    (
        Status::ArtifactMisaligned,
        c"the artifact is misaligned: align it to CHARCELL_ARTIFACT_ALIGNMENT",
    ),
    (Status::NotAnArtifact, c"not a Charcell artifact: it does not start with \"CHAR\""),
    (
        Status::Version,
        c"the artifact's format version is not supported, or it is compact: export it again, or \
          build the library with --features compact",
    ),
    (Status::Length, c"the artifact is cut short or followed by more: copy or export it again"),
    (Status::Damaged, c"the artifact is damaged: copy or export it again"),
    (Status::NotInt8, c"the artifact's weights are not int8: export it with --weights int8"),
    (
        Status::Header,
        c"the artifact's header or constants are invalid or out of range: export it \
          again",
    ),
];
