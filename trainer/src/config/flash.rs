//! Settings for an artifact of a given size.

use infer_core::Normalisation;
use infer_core::artifact::PRELUDE_BYTES;
use infer_core::int8::GateConstants;
use infer_core::layout::{
    ALIGNMENT, BLOCK_COLUMNS, BLOCK_ROWS, GATES, MAX_HIDDEN, NibbleBlock, PairBlock, padded,
};

use super::{Config, InitialWeights, Optimizer, Schedule};
use crate::error::ModelError;
use crate::model::{Architecture, Dimensions, Precision};

/// The width of the embedding: of 16, 24, 32 and 48, the one that predicted best.
const EMBEDDING: usize = 32;

/// Models with at least as many bytes leave out half of their recurrent weights: then more units
/// with fewer weights each predict as well, and a character takes fewer instructions.
const DENSE_BYTES: usize = 70_000;

/// Models with at least as many bytes are trained like the largest.
const LARGE_BYTES: usize = 200_000;

impl Config {
    /// The most bytes that [`for_flash`](Self::for_flash) uses: nothing larger was measured.
    pub const MOST_FLASH_BYTES: usize = 324_000;

    /// The settings of a training for an artifact of at most `flash_bytes`: an embedding, weights
    /// of four bits, and the number of units and of left-out weights that predict unseen text best
    /// (`docs/results.md`). The `vocabulary` and the `prefixes` are stored in the artifact too.
    ///
    /// # Errors
    /// [`ModelError::FlashBytes`] if not even a model of eight units fits.
    pub fn for_flash(
        flash_bytes: usize,
        vocabulary: &[char],
        prefixes: Vec<String>,
    ) -> Result<Self, ModelError> {
        let used = flash_bytes.min(Self::MOST_FLASH_BYTES);
        // Larger models need more to keep them from learning the text by heart.
        let (dropout, recurrent_dropout, weight_decay, epochs) = match used {
            ..DENSE_BYTES => (0.05, 0.05, 0.05, 72),
            DENSE_BYTES..LARGE_BYTES => (0.1, 0.1, 0.05, 36),
            _ => (0.2, 0.2, 0.1, 36),
        };
        let config = Self {
            embedding: EMBEDDING,
            weights: Precision::Int4,
            sparsity: if used < DENSE_BYTES { 0.0 } else { 0.5 },
            num_steps: 32,
            batch_size: 16,
            epochs,
            optimizer: Optimizer::AdamW,
            learning_rate: 0.03,
            schedule: Schedule::Cosine,
            warm_up: 0.05,
            weight_decay,
            clip: 1.0,
            dropout,
            recurrent_dropout,
            initial_weights: InitialWeights::Uniform,
            validation: 0.05,
            report_every: 2,
            prefixes,
            ..Self::default()
        };
        let with = |hidden| Self { hidden, ..config.clone() };
        let sizes = (BLOCK_COLUMNS..=MAX_HIDDEN).step_by(BLOCK_COLUMNS);
        let fits = |&hidden: &usize| with(hidden).largest_artifact(vocabulary) <= used;
        match sizes.take_while(fits).last() {
            Some(hidden) => Ok(with(hidden)),
            None => {
                let needed = with(BLOCK_COLUMNS).largest_artifact(vocabulary);
                Err(ModelError::FlashBytes { flash_bytes, needed })
            }
        }
    }

    /// The most bytes that an artifact has after a whole training with these settings.
    #[must_use]
    pub fn largest_artifact(&self, vocabulary: &[char]) -> usize {
        let Self { hidden, layers, embedding, .. } = *self;
        let characters = vocabulary.len();
        let row_blocks = padded(hidden) / BLOCK_COLUMNS;
        let all_blocks = hidden * row_blocks;
        let kept = all_blocks - (f64::from(self.sparsity) * all_blocks as f64).round() as usize;
        let groups = characters.div_ceil(BLOCK_ROWS);
        let is_int4 = self.weights == Precision::Int4;
        let block = if is_int4 { size_of::<NibbleBlock>() } else { size_of::<PairBlock>() };
        let dimensions = Dimensions { vocabulary: characters, hidden, layers };
        let rows = [0, characters * hidden * GATES];
        let input = match (Architecture { dimensions, embedding }).narrow_bytes() {
            _ if is_int4 => rows.map(|bytes| bytes / 2),
            narrow => narrow.unwrap_or(rows),
        };
        // If no block is left out, neither their counts nor their columns are stored.
        let [counts, columns] = if kept < all_blocks { [hidden, kept] } else { [0, 0] };
        let layer = |layer: usize| {
            let [embedding, w_ih] = if layer == 0 { input } else { [0, all_blocks * block] };
            [embedding, w_ih, counts, columns, kept * block, hidden * size_of::<GateConstants>()]
        };
        let multipliers = if is_int4 { groups * BLOCK_ROWS * size_of::<i16>() } else { 0 };
        let biases = groups * BLOCK_ROWS * size_of::<i32>();
        let output = [multipliers, groups * row_blocks * block, biases];
        let tensors = (0..layers).flat_map(layer).chain(output).filter(|&bytes| bytes > 0);
        let header = self.largest_header(vocabulary, tensors.clone().count());
        tensors.chain([header]).map(|bytes| bytes.next_multiple_of(ALIGNMENT)).sum()
    }

    /// The most bytes of an artifact's prelude and header, with `tensors` entries.
    fn largest_header(&self, vocabulary: &[char], tensors: usize) -> usize {
        /// A varint of 32 bits.
        const NUMBER: usize = 5;
        let characters = vocabulary.iter().map(|character| character.len_utf8());
        let widest = characters.clone().max().unwrap_or_default();
        let of_prefix = |prefix: &String| {
            let bytes = |character| most_stored_bytes(character, vocabulary, widest);
            NUMBER + prefix.chars().map(bytes).sum::<usize>()
        };
        let strings = self.prefixes.iter().map(of_prefix).sum::<usize>();
        let characters = characters.sum::<usize>();
        let quantisation = NUMBER + 1 + self.layers;
        let fields = 8 * NUMBER;
        let entry = 2 + 2 * NUMBER;
        PRELUDE_BYTES + quantisation + fields + characters + strings + tensors * entry
    }
}

/// The most bytes of a prefix's `character` in an artifact, where it may be in lower case, or be
/// replaced by one of the `vocabulary`, of which the `widest` has so many bytes.
fn most_stored_bytes(character: char, vocabulary: &[char], widest: usize) -> usize {
    let lower = Normalisation::LowerCase.apply(character);
    if lower == character && vocabulary.contains(&character) {
        return character.len_utf8();
    }
    widest.max(lower.len_utf8()).max(character.len_utf8())
}
