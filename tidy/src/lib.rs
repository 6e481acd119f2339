//! The house's rules that a program can check, in `tests/`; and what reads the repository for them.

pub mod imports;
pub mod prose;
mod repository;

pub use repository::{File, files, read, root};
