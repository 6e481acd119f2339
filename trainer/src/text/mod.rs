//! From a text to batches of tokens.

mod batches;
mod changes;
mod corpus;
mod missing;
mod source;
mod vocabulary;

pub use batches::{Batches, Epoch, Sampling, Window};
pub use changes::Changes;
pub use corpus::{Corpus, SHIPPED_TEXT, Tokens};
pub use missing::UnknownCharacters;
pub(crate) use missing::{missing, shown_characters};
pub use source::{NormalisedText, Source};
pub use vocabulary::Vocabulary;
pub(crate) use vocabulary::read_characters;
