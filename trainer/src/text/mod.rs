//! From a text to batches of tokens.

mod batches;
mod corpus;
mod source;
mod vocabulary;

pub use batches::{Batches, Epoch, WindowSampling, Window};
pub use corpus::{Corpus, SHIPPED_TEXT, Tokens};
pub use source::Source;
pub use vocabulary::{Vocabulary, read_characters};
