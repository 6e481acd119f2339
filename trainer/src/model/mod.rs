//! The model: its sizes, parameters and state.

mod parameters;
mod precision;
mod state;
mod trained;

pub use infer_core::Dimensions;
pub use parameters::{Architecture, ParameterName, Parameters, Shape};
pub use precision::Precision;
pub use state::State;
pub use trained::{Origin, TrainedModel};
