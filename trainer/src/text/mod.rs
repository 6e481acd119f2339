//! From a text to batches of tokens.

mod batches;
mod changes;
mod corpus;
mod source;
mod vocabulary;

pub use batches::{Batches, Epoch, Window, WindowSampling};
pub use changes::Changes;
pub use corpus::{Corpus, Tokens};
pub use source::{NormalisedText, SHIPPED_TEXT, Source};
pub use vocabulary::{Vocabulary, read_characters};
