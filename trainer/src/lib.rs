//! Trains a character-level LSTM and exports it for a microcontroller.

mod backend;
pub mod cpu;
mod error;
pub mod model;
pub mod text;

pub use backend::{Backend, Device, IterationReport, Optimizer};
pub use error::Error;
