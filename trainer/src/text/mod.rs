//! From a text to batches of tokens.

mod batches;
mod corpus;
mod source;
mod vocabulary;

pub use batches::{Batches, Epoch, Sampling, Window};
pub use corpus::{Corpus, SHIPPED_TEXT, Tokens};
pub use source::Source;
pub use vocabulary::Vocabulary;
pub(crate) use vocabulary::read_characters;
