//! Properties that every implementation of the products must have, for all data and sizes.
//!
//! The oracle is the definition, computed in 64 bits. `kernel-properties` makes this module public
//! for tests on devices; it needs 10 KB of stack.

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg32;

use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, Columns, MAX_HIDDEN, Operand, PairBlock, pair};

#[cfg(feature = "compact")]
mod compact;

#[cfg(feature = "compact")]
pub use compact::int4;

/// Maximum length of a row, in blocks.
const MAX_BLOCKS: usize = MAX_HIDDEN / BLOCK_COLUMNS;

/// Row lengths in blocks: odd, even, a whole part, and more than one part.
const SIZES: [usize; 17] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 63, 64, 65, MAX_BLOCKS];

/// The values that weights, vectors, multipliers and sums are filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// Random values within the limits.
    Random,
    /// The smallest value.
    Smallest,
    /// The largest value.
    Largest,
    /// The smallest and largest value in turn.
    Alternating,
    /// Any bits that fit the type, which no artifact contains.
    Damaged,
}

/// Which blocks of a row are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// All of them.
    All,
    /// The last ones of the longest row.
    Last,
    /// Random ones of the longest row.
    Random,
}

impl Data {
    const ALL: [Self; 5] =
        [Self::Random, Self::Smallest, Self::Largest, Self::Alternating, Self::Damaged];

    /// The number at `index`; `damaged` is the limit for [`Damaged`](Self::Damaged).
    fn number(self, random: &mut Pcg32, index: usize, [low, high]: [i32; 2], damaged: i32) -> i32 {
        let mut within = |low: i32, high: i32| {
            let span = i64::from(high) - i64::from(low) + 1;
            (i64::from(low) + i64::from(random.next_u32()) % span) as i32
        };
        match self {
            Self::Random => within(low, high),
            Self::Smallest => low,
            Self::Largest => high,
            Self::Alternating if index.is_multiple_of(2) => low,
            Self::Alternating => high,
            Self::Damaged => within(-damaged - 1, damaged),
        }
    }
}

/// A case in which an implementation is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// Blocks in a row, without those that aren't kept.
    pub blocks: usize,
    /// Which ones they are.
    pub kept: Kept,
    /// What weights, multipliers and sums were filled with.
    pub weights: Data,
    /// What the vector was filled with.
    pub vector: Data,
    /// The row with the wrong result.
    pub row: usize,
}

/// Calls `check` with each case: the number of blocks in a row and the values to fill with. `check`
/// returns the row that is wrong, if any.
fn each_case(
    mut check: impl FnMut(&mut Pcg32, usize, Data, Data) -> Option<usize>,
) -> Result<(), Failure> {
    let mut random = Pcg32::seed_from_u64(1);
    for blocks in SIZES {
        for weights in Data::ALL {
            for vector in Data::ALL {
                if let Some(row) = check(&mut random, blocks, weights, vector) {
                    let kept = Kept::All;
                    return Err(Failure { blocks, kept, weights, vector, row });
                }
            }
        }
    }
    Ok(())
}

/// Checks that the sums of [`Int8Kernels`](super::Int8Kernels), and tanh of them, are exactly as
/// defined.
///
/// # Errors
/// The first case in which they aren't.
pub fn int8<K: super::Int8Kernels>() -> Result<(), Failure> {
    use crate::activation::tanh;

    /// The first and last arguments of the table of tanh, and the ones next to them.
    const LIMITS: [i32; BLOCK_ROWS] = [-(4 << 16) - 1, -(4 << 16), (4 << 16) - 1, 4 << 16];

    let mut blocks = [PairBlock::default(); MAX_BLOCKS];
    let mut x = [Columns::default(); MAX_BLOCKS];
    each_case(|random, count, weights, vector| {
        let (blocks, x) = (blocks.get_mut(..count)?, x.get_mut(..count)?);
        fill_pairs(blocks, random, weights, vector);
        fill_vector(x, random, vector);
        let (multipliers, sums) = multipliers_and_sums(random, weights);
        let mut found = sums;
        K::add_products(&mut found, &multipliers, blocks, x);
        let expected = expected_int8(sums, multipliers, blocks, x);
        // Without scaling, nearly all of them would be beyond the table of tanh.
        let near = sums.map(|sum| sum >> 13);
        let tanh = [sums, near, LIMITS].map(|gates| (K::tanh(&gates), gates.map(tanh)));
        core::iter::once((found, expected)).chain(tanh).find_map(first_difference)
    })
}

/// Fills `blocks` with pairs; with [`Data::Damaged`], the `vector` decides how.
fn fill_pairs(blocks: &mut [PairBlock], random: &mut Pcg32, weights: Data, vector: Data) {
    for block in blocks {
        for (index, word) in block.0.as_flattened_mut().as_flattened_mut().iter_mut().enumerate() {
            let mut weight = |row| weights.number(random, index / 2 + row, [-127, 127], 127) as i8;
            *word = match (weights, vector) {
                // The largest possible sums: all bytes are −128.
                (Data::Damaged, Data::Smallest) => i16::from_ne_bytes([0x80; 2]),
                (Data::Damaged, _) => random.next_u32() as i16,
                _ => pair(weight(0), weight(1)),
            };
        }
    }
}

/// Fills `x` with numbers that fit an int8.
fn fill_vector(x: &mut [Columns], random: &mut Pcg32, vector: Data) {
    for columns in x {
        for (column, x) in columns.0.iter_mut().enumerate() {
            *x = vector.number(random, column, [-128, 127], 127) as Operand;
        }
    }
}

/// The multipliers of four rows, and the sums that products are added to.
fn multipliers_and_sums(random: &mut Pcg32, data: Data) -> ([i16; BLOCK_ROWS], [i32; BLOCK_ROWS]) {
    let mut number = |index, limits, damaged| data.number(random, index, limits, damaged);
    let multipliers = [0, 1, 2, 3].map(|row| number(row, [0, 32_767], 32_767) as i16);
    (multipliers, [0, 1, 2, 3].map(|row| number(row, [-(1 << 30), 1 << 30], i32::MAX)))
}

/// The first row in which the sums that were found differ from the expected ones.
fn first_difference((found, expected): ([i32; BLOCK_ROWS], [i32; BLOCK_ROWS])) -> Option<usize> {
    found.iter().zip(&expected).position(|(found, expected)| found != expected)
}

/// The result of [`Int8Kernels::add_products`](super::Int8Kernels::add_products) by definition.
#[expect(clippy::indexing_slicing, reason = "the indices in a block are constants' remainders")]
fn expected_int8(
    mut sums: [i32; BLOCK_ROWS],
    multipliers: [i16; BLOCK_ROWS],
    blocks: &[PairBlock],
    x: &[Columns],
) -> [i32; BLOCK_ROWS] {
    let parts = blocks.chunks(super::PART_BLOCKS).zip(x.chunks(super::PART_BLOCKS));
    for (blocks, x) in parts {
        let mut products = [0_i64; BLOCK_ROWS];
        for (block, x) in blocks.iter().zip(x) {
            for (column, &x) in x.0.iter().enumerate() {
                for (rows, [first, second]) in products.as_chunks_mut().0.iter_mut().enumerate() {
                    let pair = block.0[column / 2][rows][column % 2];
                    let low = i64::from(pair as i8);
                    *first += 256 * low * i64::from(x);
                    *second += (i64::from(pair) - low) * i64::from(x);
                }
            }
        }
        add_scaled(&mut sums, products, multipliers);
    }
    sums
}

/// `sums` += `products` · `multipliers` / 2¹⁶, rounded down; the products wrap.
fn add_scaled(
    sums: &mut [i32; BLOCK_ROWS],
    products: [i64; BLOCK_ROWS],
    multipliers: [i16; BLOCK_ROWS],
) {
    for ((sum, product), multiplier) in sums.iter_mut().zip(products).zip(multipliers) {
        let product = i64::from(product as i32);
        *sum = sum.wrapping_add(((product * i64::from(multiplier)) >> 16) as i32);
    }
}

/// Checks that the sums of [`F32Kernels`](super::F32Kernels) are as close to those in f64 as f32
/// allows.
///
/// # Errors
/// The first case in which they aren't.
#[cfg(feature = "f32")]
pub fn f32<K: super::F32Kernels>() -> Result<(), Failure> {
    use crate::layout::F32Block;

    /// Relative to the sum of the absolute values of all products; each product is off by 6e-8.
    const TOLERANCE: f64 = 1e-5;
    /// Half of the maximum length is 8 KB; longer rows are left out.
    const BLOCKS: usize = MAX_BLOCKS / 2;
    let mut blocks = [F32Block::default(); BLOCKS];
    let mut x = [[0_f32; BLOCK_COLUMNS]; BLOCKS];
    each_case(|random, count, weights, vector| {
        let (blocks, x) = (blocks.get_mut(..count)?, x.get_mut(..count)?);
        let mut number = |data: Data, index| data.number(random, index, [-4096, 4096], 1 << 20);
        for (row, values) in blocks.as_flattened_mut().iter_mut().enumerate() {
            for (column, value) in values.iter_mut().enumerate() {
                *value = number(weights, row + column) as f32 / 1000.0;
            }
        }
        for (column, value) in x.as_flattened_mut().iter_mut().enumerate() {
            *value = number(vector, column) as f32 / 4096.0;
        }
        let (mut expected, mut size) = ([0_f64; BLOCK_ROWS], [0_f64; BLOCK_ROWS]);
        for (block, x) in blocks.iter().zip(&*x) {
            for ((expected, size), row) in expected.iter_mut().zip(&mut size).zip(block) {
                for (&weight, &x) in row.iter().zip(x) {
                    let product = f64::from(weight) * f64::from(x);
                    *expected += product;
                    *size += product.abs();
                }
            }
        }
        let found = K::dot4(blocks, x).into_iter().zip(expected).zip(size);
        let mut is_wrong = found.map(|((found, expected), size)| {
            (f64::from(found) - expected).abs() > size * TOLERANCE
        });
        is_wrong.position(|is_wrong| is_wrong)
    })
}
