//! Weights that are stored as they are: matrices with all their blocks, and a row of weights for
//! each one-hot input.

use core::fmt::Debug;
use core::iter::Copied;
use core::slice;

use bytemuck::Pod;

use crate::artifact::{Format, TensorName, Tensors};
use crate::layout::GATES;
use crate::precision::sealed::{Inputs, Rows};

impl<'a, B: Pod + Debug> Rows<'a> for &'a [B] {
    fn take(
        tensors: &mut Tensors<'a>,
        format: &Format,
        (name, layer): (TensorName, usize),
        units: usize,
        skipped: usize,
    ) -> Self {
        let row_blocks = format.row_blocks(name, layer);
        tensors.take(units * row_blocks, skipped * row_blocks)
    }
}

impl<'a, W: Pod + Debug> Inputs<'a> for &'a [[W; GATES]] {
    type OneHot = Copied<slice::Iter<'a, [W; GATES]>>;

    fn take(tensors: &mut Tensors<'a>, format: &Format) -> Self {
        tensors.take(format.elements(TensorName::WIh, 0), 0)
    }

    fn one_hot(self, token: usize, hidden: usize) -> Self::OneHot {
        self.get(token * hidden..).unwrap_or_default().iter().copied()
    }
}
