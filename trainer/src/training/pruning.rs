//! Leaving recurrent weights out while training goes on, block by block (Zhu and Gupta 2017,
//! arXiv 1710.01878; Narang et al. 2017, arXiv 1711.02782).

use infer_core::layout::{BLOCK_COLUMNS, GATES};

use super::Training;
use super::epoch::CurrentEpoch;
use crate::backend::{Backend, Snapshot};
use crate::error::Error;
use crate::model::{Dimensions, ParameterName, Parameters};

/// Steps of a training after each of which blocks may be left out.
const STEPS: usize = 100;

impl<B: Backend> Training<'_, B> {
    /// Leaves out the weights that are due before the next iteration of `epoch`.
    pub(super) async fn prune_if_due(&mut self, epoch: &CurrentEpoch<'_>) -> Result<(), Error> {
        let iteration = self.iteration(epoch);
        let sparsity_at = |iteration| {
            self.config.sparsity_at(self.step_at(iteration, epoch) as f64 / STEPS as f64)
        };
        let sparsity = sparsity_at(iteration);
        if sparsity > sparsity_at(iteration.saturating_sub(1)) {
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
        let count = (next * self.all_iterations(epoch)).div_ceil(STEPS);
        count.saturating_sub(iteration).max(1)
    }

    /// Iterations of the whole training before the next one, if all epochs have as many.
    fn iteration(&self, epoch: &CurrentEpoch<'_>) -> usize {
        self.metrics.len() * epoch.windows.count_all() + epoch.iterations_done()
    }

    fn all_iterations(&self, epoch: &CurrentEpoch<'_>) -> usize {
        self.config.epochs * epoch.windows.count_all()
    }

    /// The number of steps that are done before `iteration`.
    fn step_at(&self, iteration: usize, epoch: &CurrentEpoch<'_>) -> usize {
        (iteration as u128 * STEPS as u128 / self.all_iterations(epoch) as u128) as usize
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
