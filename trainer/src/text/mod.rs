//! From a text to batches of tokens.

mod batches;
mod corpus;
mod vocabulary;

pub use batches::{Batches, Sampling, Window};
pub use corpus::{Corpus, SHIPPED_TEXT};
pub use vocabulary::Vocabulary;
