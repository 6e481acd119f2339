//! Properties of products with int4 weights, of rows that keep all blocks or only some.

use bytemuck::Zeroable;
use rand_core::Rng;
use rand_pcg::Pcg32;

use super::{
    Data, Failure, Kept, MAX_BLOCKS, add_scaled, each_case, fill_vector, first_difference,
    multipliers_and_sums,
};
use crate::BlockColumns;
use crate::arch::{Int4Kernels, PART_BLOCKS};
use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, Columns, NibbleBlock};

impl Kept {
    const EACH: [Self; 3] = [Self::All, Self::Last, Self::Random];

    /// The numbers of the kept blocks of a row, as many as `list` has, and their bound.
    fn columns<'a>(self, random: &mut Pcg32, list: &'a mut [u8]) -> Option<BlockColumns<'a>> {
        let count = list.len();
        if self == Self::All {
            return Some(BlockColumns::dense(count));
        }
        let (mut number, mut left_out) = (0, MAX_BLOCKS - count);
        for entry in list.iter_mut() {
            // Every choice has the same probability.
            while match self {
                Self::Random => random.next_u32() as usize % (MAX_BLOCKS - number) < left_out,
                _ => left_out > 0,
            } {
                (number, left_out) = (number + 1, left_out - 1);
            }
            *entry = number as u8;
            number += 1;
        }
        BlockColumns::new(list, MAX_BLOCKS)
    }
}

/// Calls `check` with each case of [`each_case`] and the columns of the kept blocks.
fn each_sparse_case(
    mut check: impl FnMut(&mut Pcg32, BlockColumns<'_>, Data, Data) -> Option<usize>,
) -> Result<(), Failure> {
    let mut list = [0; MAX_BLOCKS];
    for kept in Kept::EACH {
        let outcome = each_case(|random, count, weights, vector| {
            let columns = kept.columns(random, list.get_mut(..count.min(PART_BLOCKS))?)?;
            check(random, columns, weights, vector)
        });
        outcome.map_err(|failure| Failure { kept, ..failure })?;
    }
    Ok(())
}

/// Checks that the sums of [`Int4Kernels`] are exactly as defined, and that nothing is added if the
/// vector is too short, or if there are more blocks than numbers.
///
/// # Errors
/// The first case in which they aren't.
pub fn int4<K: Int4Kernels>() -> Result<(), Failure> {
    let mut blocks = [NibbleBlock::zeroed(); MAX_BLOCKS];
    let mut x = [Columns::default(); MAX_BLOCKS];
    each_sparse_case(|random, columns, weights, vector| {
        let x = x.get_mut(..columns.bound())?;
        fill_vector(x, random, vector);
        let (multipliers, sums) = multipliers_and_sums(random, weights);
        let mut expected = sums;
        let mut products = [0; BLOCK_ROWS];
        for (block, &number) in blocks.iter_mut().zip(columns.within(x.len())?) {
            let weights = int4_weights(random, weights, vector);
            *block = NibbleBlock::new(&weights);
            let x = x.get(usize::from(number))?;
            for (product, weights) in products.iter_mut().zip(weights) {
                let row = weights.iter().zip(x.0);
                *product += row.map(|(&w, x)| 4096 * i64::from(w) * i64::from(x)).sum::<i64>();
            }
        }
        add_scaled(&mut expected, products, multipliers);
        let found = |blocks, x| {
            let mut sums = sums;
            K::add_int4_part(&mut sums, &multipliers, blocks, columns, x);
            sums
        };
        let (fitting, too_short) = (blocks.get(..columns.count())?, x.get(..x.len().max(1) - 1)?);
        let nothing = if fitting.is_empty() { expected } else { sums };
        let too_many = blocks.get(..columns.count() + 1).unwrap_or_default();
        [(fitting, &*x, expected), (fitting, too_short, nothing), (too_many, x, nothing)]
            .map(|(blocks, x, expected)| (found(blocks, x), expected))
            .into_iter()
            .find_map(first_difference)
    })
}

/// The weights of a block; with [`Data::Damaged`], the `vector` decides which.
fn int4_weights(
    random: &mut Pcg32,
    weights: Data,
    vector: Data,
) -> [[i8; BLOCK_COLUMNS]; BLOCK_ROWS] {
    let mut number = |index| match (weights, vector) {
        // The largest possible sums.
        (Data::Damaged, Data::Smallest) => -8,
        _ => weights.number(random, index, [-7, 7], 7) as i8,
    };
    [0, 1, 2, 3].map(|row| [0, 1, 2, 3, 4, 5, 6, 7].map(|column| number(row + column)))
}
