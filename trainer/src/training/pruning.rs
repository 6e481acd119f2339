//! Leaving recurrent weights out while training goes on, block by block (Zhu and Gupta 2017,
//! arXiv 1710.01878; Narang et al. 2017, arXiv 1711.02782).

use infer_core::layout::{BLOCK_COLUMNS, GATES};

use super::Training;
use super::epoch::CurrentEpoch;
use crate::backend::{Backend, Snapshot};
use crate::error::Error;
use crate::model::{Dimensions, ParameterName, Parameters};

/// Steps of a training after each of which blocks may be left out.
const STEPS: u128 = 100;

impl<B: Backend> Training<'_, B> {
    /// Leaves out the weights that are due after the last `trained` iterations of `epoch`.
    pub(super) async fn prune_if_due(
        &mut self,
        epoch: &CurrentEpoch<'_>,
        trained: usize,
    ) -> Result<(), Error> {
        if self.config.sparsity == 0.0 {
            return Ok(());
        }
        let iteration = self.iteration(epoch);
        let sparsity_at = |iteration| {
            self.config.sparsity_at(self.step_at(iteration, epoch) as f64 / STEPS as f64)
        };
        let sparsity = sparsity_at(iteration);
        if sparsity > sparsity_at(iteration - trained as u128) {
            let mut snapshot = self.backend.snapshot().await?;
            prune(&mut snapshot, sparsity);
            self.backend.restore(&snapshot).await?;
        }
        Ok(())
    }

    /// How many iterations of `epoch` can go on before more weights are due.
    pub(super) fn iterations_to_pruning(&self, epoch: &CurrentEpoch<'_>) -> usize {
        if self.config.sparsity == 0.0 {
            return usize::MAX;
        }
        let iteration = self.iteration(epoch);
        let next = self.step_at(iteration, epoch) + 1;
        let due = (next * self.all_iterations(epoch)).div_ceil(STEPS);
        usize::try_from(due - iteration).unwrap_or(usize::MAX)
    }

    /// Iterations of the whole training so far, if all epochs have as many.
    fn iteration(&self, epoch: &CurrentEpoch<'_>) -> u128 {
        let of_epoch = epoch.windows.count_all() as u128;
        self.metrics.len() as u128 * of_epoch + epoch.iterations_done() as u128
    }

    /// All iterations of the training. In 128 bits, because there is no limit to the epochs.
    fn all_iterations(&self, epoch: &CurrentEpoch<'_>) -> u128 {
        self.config.epochs as u128 * epoch.windows.count_all() as u128
    }

    /// The number of steps that are done after `iteration` iterations.
    fn step_at(&self, iteration: u128, epoch: &CurrentEpoch<'_>) -> u128 {
        iteration * STEPS / self.all_iterations(epoch)
    }
}

/// A block of a layer's recurrent weights: the four gates of a unit, by eight rows of `w_hh`.
#[derive(Debug, Clone, Copy)]
struct Block {
    unit: usize,
    first_row: usize,
}

/// Leaves out this share of the recurrent weights: in each layer, the blocks with the smallest sum
/// of squares. They and their moments become 0, and stay 0, because their gradients are masked.
///
/// Blocks that are left out already have the smallest sum, so doing it again changes nothing.
fn prune(snapshot: &mut Snapshot, sparsity: f64) {
    let Dimensions { hidden, layers, .. } = snapshot.parameters.dimensions();
    for layer in 0..layers {
        let name = ParameterName::WHh(layer);
        let mut blocks = by_size(snapshot.parameters.get(name), hidden);
        blocks.truncate((sparsity * blocks.len() as f64).round() as usize);
        clear(&mut snapshot.parameters, name, &blocks);
        for moments in snapshot.moments.iter_mut().flatten() {
            clear(moments, name, &blocks);
        }
    }
}

/// All blocks of `w_hh` `[H, 4H]`, the one with the smallest sum of squares first.
fn by_size(w_hh: &[f32], hidden: usize) -> Vec<Block> {
    let mut sized: Vec<(f64, Block)> = Vec::new();
    for (number, rows) in w_hh.chunks(BLOCK_COLUMNS * GATES * hidden).enumerate() {
        let mut sums = vec![0.0; hidden];
        for values in rows.chunks_exact(hidden) {
            for (sum, &value) in sums.iter_mut().zip(values) {
                *sum += f64::from(value).powi(2);
            }
        }
        let block = |unit| Block { unit, first_row: number * BLOCK_COLUMNS };
        sized.extend(sums.into_iter().enumerate().map(|(unit, sum)| (sum, block(unit))));
    }
    // A stable sort: equal blocks keep their order, on every device.
    sized.sort_by(|(size, _), (other, _)| size.total_cmp(other));
    sized.into_iter().map(|(_, block)| block).collect()
}

fn clear(parameters: &mut Parameters, name: ParameterName, blocks: &[Block]) {
    let hidden = parameters.dimensions().hidden;
    let values = parameters.get_mut(name);
    for &Block { unit, first_row } in blocks {
        let rows = values[first_row * GATES * hidden..].chunks_exact_mut(GATES * hidden);
        for row in rows.take(BLOCK_COLUMNS) {
            row[unit..].iter_mut().step_by(hidden).for_each(|weight| *weight = 0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::State;

    const HIDDEN: usize = 10;

    /// The block of element `index` of `w_hh` `[H, 4H]`: its unit, and the number of its rows.
    fn block(index: usize) -> (usize, usize) {
        (index % HIDDEN, index / (GATES * HIDDEN) / BLOCK_COLUMNS)
    }

    /// The rank of a block among the 20 of `w_hh`, by size, from 0. Each second one has two rows.
    fn rank((unit, number): (usize, usize)) -> usize {
        (7 * (2 * unit + number) + 3) % 20
    }

    #[test]
    fn the_smallest_blocks_are_left_out() {
        let dimensions = Dimensions { vocabulary: 3, hidden: HIDDEN, layers: 2 };
        let name = ParameterName::WHh(1);
        let mut parameters = Parameters::zeros(dimensions);
        parameters.values_mut().fill(1e-3);
        let moments = parameters.clone();
        let w_hh = parameters.get_mut(name);
        // In the gate whose weight is large, and in no other; negative weights count as well.
        for index in (0..w_hh.len()).filter(|index| index / HIDDEN % GATES == 2) {
            let sign = if index % 2 == 0 { 1.0 } else { -1.0 };
            let rows = if block(index).1 == 0 { 8.0 } else { 2.0_f32 };
            w_hh[index] = sign * (1.0 + rank(block(index)) as f32) / rows.sqrt();
        }
        let state = State::zeros(dimensions, 1);
        let moments = Some([moments.clone(), moments]);
        let trained = Snapshot { parameters, state, moments, iterations: 1 };
        for (sparsity, count) in [(0.0, 0), (0.25, 5), (0.5, 10), (0.99, 20)] {
            let mut pruned = trained.clone();
            prune(&mut pruned, sparsity);
            let mut expected = trained.clone();
            let [first, second] = expected.moments.as_mut().unwrap();
            for parameters in [&mut expected.parameters, first, second] {
                for (index, weight) in parameters.get_mut(name).iter_mut().enumerate() {
                    if rank(block(index)) < count {
                        *weight = 0.0;
                    }
                }
            }
            // The blocks of the other layer have another order.
            for of in [ParameterName::WIh(1), name, ParameterName::B(1), ParameterName::WOut] {
                assert_eq!(pruned.parameters.get(of), expected.parameters.get(of), "{sparsity}");
            }
            let [first, second] = pruned.moments.as_ref().unwrap();
            let [expected, _] = expected.moments.as_ref().unwrap();
            assert!(first.get(name) == expected.get(name) && first == second);
            let once = pruned.clone();
            prune(&mut pruned, sparsity);
            assert!(pruned == once, "again");
        }
    }
}
