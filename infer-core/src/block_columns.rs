//! Which blocks of a matrix are kept.

use crate::layout::{BLOCK_COLUMNS, MAX_HIDDEN};

/// Maximum number of blocks in a row.
const MAX_BLOCKS: usize = MAX_HIDDEN / BLOCK_COLUMNS;

/// The numbers of the blocks in a row of a dense matrix.
static ALL: [u8; MAX_BLOCKS] = {
    let (mut all, mut number) = ([0; MAX_BLOCKS], 0);
    while number < MAX_BLOCKS {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler only")]
        let slot = &mut all[number];
        *slot = number as u8;
        number += 1;
    }
    all
};

/// The numbers of the blocks that rows of a matrix keep, row after row, in ascending order within a
/// row: block b has the columns from 8b to 8b + 7. A dense row keeps all its blocks.
///
/// All numbers are below [`bound`](Self::bound), which kernels rely on: they read a vector that
/// long without checking each index.
#[derive(Debug, Clone, Copy, Default)]
pub struct BlockColumns<'a> {
    list: &'a [u8],
    bound: usize,
}

impl<'a> BlockColumns<'a> {
    /// The blocks with the numbers in `list`; `None` if one of them isn't below `bound`.
    #[must_use]
    pub fn new(list: &'a [u8], bound: usize) -> Option<Self> {
        list.iter().all(|&number| usize::from(number) < bound).then_some(Self { list, bound })
    }

    /// The first `count` blocks of a row, without a gap; at most those of 1024 columns.
    #[must_use]
    pub fn dense(count: usize) -> Self {
        let list = ALL.get(..count).unwrap_or(&ALL);
        Self { list, bound: list.len() }
    }

    /// How many blocks are kept.
    #[must_use]
    pub fn count(self) -> usize {
        self.list.len()
    }

    /// What all numbers are below.
    #[must_use]
    pub fn bound(self) -> usize {
        self.bound
    }

    /// The numbers, each of which is below `blocks`; `None` if the bound is larger.
    pub(crate) fn within(self, blocks: usize) -> Option<&'a [u8]> {
        (self.bound <= blocks).then_some(self.list)
    }

    /// The numbers and their bound.
    pub(crate) fn parts(self) -> (&'a [u8], usize) {
        (self.list, self.bound)
    }

    /// The inverse of [`parts`](Self::parts): all numbers in `list` are below `bound`.
    pub(crate) fn from_parts((list, bound): (&'a [u8], usize)) -> Self {
        debug_assert!(Self::new(list, bound).is_some());
        Self { list, bound }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_below_the_bound() {
        assert_eq!(BlockColumns::new(&[0, 4, 9], 10).map(BlockColumns::count), Some(3));
        assert!(BlockColumns::new(&[0, 4, 9], 9).is_none());
        let dense = BlockColumns::dense(200);
        assert_eq!((dense.count(), dense.bound()), (128, 128));
        assert_eq!(BlockColumns::dense(3).within(3), Some(&[0, 1, 2][..]));
        assert_eq!(BlockColumns::dense(3).within(2), None);
    }
}
