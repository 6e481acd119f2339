//! Reads the repository for the tests in `tests/`, which check its rules.

pub mod imports;
pub mod prose;
mod repository;

pub use repository::{File, files, read, root};
