//! The inner products, which take nearly all of the time: one implementation a target.
//!
//! The portable one serves every target that has no other, and is the oracle of those that do.

mod portable;

#[cfg(feature = "int8")]
pub(crate) use portable::dot4_i8;

#[cfg(feature = "f32")]
pub(crate) use portable::dot4_f32;
