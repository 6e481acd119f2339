//! The model: its sizes, parameters and state.

mod parameters;
mod state;
mod trained;

pub use infer_core::Dimensions;
pub use parameters::{ParameterName, Parameters, Shape};
pub use state::State;
pub use trained::TrainedModel;
