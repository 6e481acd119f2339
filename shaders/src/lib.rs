//! The WGSL compute shaders that train Charcell's LSTM, and what a host needs to know about them.
//!
//! Each kernel has one file in `wgsl/`, one entry point and one [`Kernel`], all with the same name.
//! Its source is assembled from the parts in `wgsl/common/` and its own file. Shapes are
//! `override`s, which the host sets by name when it creates a pipeline.
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
    ADAM, ALL, Binding, DISTILL, DROP_WEIGHTS, DROPOUT, EMBEDDED_WEIGHT_GRADIENTS,
    EMBEDDING_GRADIENTS, FOLD_EMBEDDING, GLOBAL_NORM, INPUT_WEIGHT_GRADIENTS, Kernel,
    LSTM_STEP_BACKWARD, LSTM_STEP_FORWARD, MASK_GRADIENTS, PACK_WEIGHTS, PROJECT, ROUND_WEIGHTS,
    SGD, SOFTMAX_CROSS_ENTROPY, SQUARE_SUMS, WEIGHT_GRADIENTS,
};
pub use layout::{BETA_1, BETA_2, Dropout, EPSILON, Report, SQUARE_SUM_COUNT, Step, Update};
pub use tiles::{GradientTile, ProductTile, Tiles};
