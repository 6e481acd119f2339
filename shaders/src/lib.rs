//! The WGSL compute shaders that train Charcell's LSTM, and what a host must know of them.
//!
//! A kernel is one file in `wgsl/`, one entry point and one [`Kernel`] of the same name. Its source
//! is put together from the parts in `wgsl/common/` and its own file; shapes are `override`s, which
//! the host sets by name when it makes a pipeline.
//!
//! ```
//! use charcell_shaders::{PROJECT, Tiles};
//!
//! let source = PROJECT.source(&Tiles::GPU);
//! assert!(source.contains("fn project("));
//! assert_eq!(PROJECT.workgroup_size(&Tiles::GPU), [16, 8]);
//! ```

#![forbid(unsafe_code)]

mod kernels;
mod layout;
mod tiles;

pub use kernels::{
    ADAM, ALL, Binding, DROPOUT, GLOBAL_NORM, INPUT_WEIGHT_GRADIENTS, Kernel, LSTM_STEP_BACKWARD,
    LSTM_STEP_FORWARD, PACK_WEIGHTS, PROJECT, SGD, SOFTMAX_CROSS_ENTROPY, SQUARE_SUMS,
    WEIGHT_GRADIENTS,
};
pub use layout::{BETA_1, BETA_2, Dropout, EPSILON, Report, SQUARE_SUM_COUNT, Step, Update};
pub use tiles::{GradientTile, ProductTile, Tiles};
