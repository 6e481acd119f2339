//! A model, read in place from its artifact.

use core::marker::PhantomData;

use crate::artifact::{
    self, Contents, ElementBytes, Fields, Format, Header, LoadError, TensorName, Tensors,
};
use crate::precision::sealed::{Output, Weights};
use crate::vocabulary::{Characters, PrimeError, Token, Vocabulary};
use crate::weights::Units;
use crate::{Dimensions, Int8, Normalisation, Precision};

/// A borrowed view of an artifact: sizes and references, 108 bytes on targets with 32-bit
/// addresses, or 100 without the feature `compact`. The weights are not copied.
///
/// A model can't outlive its bytes:
///
/// ```compile_fail
/// let model: infer_core::Model<'static> = {
///     let bytes = vec![0; 16];
///     infer_core::Model::load(&bytes).unwrap()
/// };
/// ```
#[derive(Debug, Clone)]
pub struct Model<'a, P: Precision = Int8> {
    fields: Fields<'a>,
    pub(crate) format: Format,
    /// `[L]`.
    pub(crate) cell_fraction_bits: &'a [u8],
    /// What layer 0 gets for each character.
    pub(crate) inputs: Tensors<'a>,
    /// All tensors of the artifact.
    pub(crate) tensors: Tensors<'a>,
    /// Those of the layers, and of the output layer. Each step reads them layer by layer.
    pub(crate) layers: Tensors<'a>,
    /// The first `units_in_ram` units of each layer, in the same order, without the inputs. The
    /// other units are read from `layers`.
    pub(crate) layers_in_ram: Tensors<'a>,
    pub(crate) units_in_ram: usize,
    /// The tensors of the output layer.
    pub(crate) output: Tensors<'a>,
    precision: PhantomData<P>,
}

impl<'a, P: Precision> Model<'a, P> {
    pub(crate) const ELEMENT_BYTES: ElementBytes = ElementBytes {
        weight: size_of::<P::Weight>(),
        gate_constants: size_of::<P::GateConstants>(),
    };

    /// Loads a model from `artifact`, in one pass over its bytes.
    ///
    /// Where no [`State`](crate::State) determines the precision, name it: `Model::<Int8>::load`.
    ///
    /// # Errors
    /// [`LoadError`]; its variants say what is wrong. Never panics, whatever the bytes.
    #[inline(never)] // otherwise the caller would move the model around
    pub fn load(artifact: &'a [u8]) -> Result<Self, LoadError> {
        let mut model = Self::load_unverified(artifact);
        // For these errors the checksum is not worth comparing: they say more than it would.
        let is_early = matches!(
            model,
            Err(LoadError::Misaligned { .. }
                | LoadError::NotAnArtifact
                | LoadError::Version { .. }
                | LoadError::UnknownFlags { .. }
                | LoadError::Truncated { .. }
                | LoadError::TrailingBytes { .. })
        );
        if !is_early && let Err(error) = artifact::verify(artifact) {
            model = Err(error);
        }
        model
    }

    /// Finds the artifact at the start of `bytes`, which may be longer, for example all flash from
    /// an address onwards. The artifact's length comes from its header. Neither the checksum nor
    /// the weights are checked; [`load`](Self::load) does that. [`Summary`](artifact::Summary)
    /// reads the header of either precision.
    ///
    /// # Errors
    /// The errors of [`load`](Self::load) that concern the header; [`LoadError::Truncated`] if
    /// `bytes` ends before the artifact does.
    pub fn find(bytes: &'a [u8]) -> Result<&'a [u8], LoadError> {
        let last = Self::read(bytes, true)?.tensors.0.as_ptr_range().end;
        let length = last.addr().wrapping_sub(bytes.as_ptr().addr());
        Ok(bytes.get(..length).unwrap_or(bytes))
    }

    /// Like [`load`](Self::load), but without comparing the checksum: for an artifact that was
    /// checked before.
    ///
    /// Damaged weights produce wrong text, but nothing worse: sums wrap, and nothing panics.
    ///
    /// # Errors
    /// Those of [`load`](Self::load), except [`LoadError::Checksum`].
    pub fn load_unverified(artifact: &'a [u8]) -> Result<Self, LoadError> {
        Self::read(artifact, false)
    }

    /// Reads the model at the start of `bytes`. If `may_go_on` is set, other bytes may follow the
    /// artifact, and the values in its tensors aren't checked.
    fn read(bytes: &'a [u8], may_go_on: bool) -> Result<Self, LoadError> {
        let Contents { fields, format, cell_fraction_bits, tensors, layers, output } =
            artifact::open(bytes, may_go_on, Self::ELEMENT_BYTES, P::cell_fraction_bits)?;
        let model = Self {
            fields,
            format,
            cell_fraction_bits,
            inputs: tensors,
            tensors,
            layers,
            layers_in_ram: Tensors::default(),
            units_in_ram: 0,
            output,
            precision: PhantomData,
        };
        if !may_go_on {
            model.check_numbers()?;
        }
        Ok(model)
    }

    /// Checks the numbers that sums, and the kernels' reads, rely on.
    fn check_numbers(&self) -> Result<(), LoadError> {
        let (format, mut layers) = (&self.format, self.layers);
        let Dimensions { hidden, layers: count, .. } = format.dimensions;
        for layer in 0..count {
            let units = Units::<P>::take(&mut layers, format, layer, hidden, 0);
            if !units.weights.has_sound_blocks(format) {
                return Err(LoadError::Blocks { layer });
            }
            if !units.fits(format, layer) {
                return Err(LoadError::Overflow { name: TensorName::GateConstants, layer });
            }
        }
        if P::Output::take(self.output, format).fits(format) {
            return Ok(());
        }
        Err(LoadError::Overflow { name: TensorName::BOut, layer: 0 })
    }

    /// The artifact's header.
    #[must_use]
    pub fn header(&self) -> Header<'a> {
        self.fields.header()
    }

    /// V, H and L.
    #[must_use]
    pub const fn dimensions(&self) -> Dimensions {
        self.format.dimensions
    }

    /// The characters in the model's vocabulary.
    #[must_use]
    pub const fn vocabulary(&self) -> Vocabulary<'a> {
        Vocabulary::of_size(self.fields.vocabulary, self.format.dimensions.vocabulary)
    }

    /// The example prefixes stored in the artifact.
    pub fn prefixes(&self) -> impl Iterator<Item = &'a str> + use<'a, P> {
        self.fields.prefixes()
    }

    /// The token of `character`, normalised like the corpus. For a character that the vocabulary
    /// lacks, the replacement's token, if the artifact has one.
    ///
    /// Without the feature `unicode`, letters that other targets may lower-case aren't replaced:
    /// they have no token.
    #[must_use]
    #[inline(never)] // inlining would duplicate this code
    pub fn token(&self, character: char) -> Option<Token> {
        let normalisation = self.normalisation();
        let known = self.vocabulary().token(normalisation.apply(character));
        if known.is_some() || normalisation.may_miss(character) {
            return known;
        }
        self.fields.replacement
    }

    /// Checks that all characters of `text` have a [token](Self::token).
    ///
    /// # Errors
    /// [`PrimeError`] names the first character that has none.
    pub fn check(&self, text: &str) -> Result<(), PrimeError> {
        let mut characters = Characters(text.chars());
        let mut position = 0;
        loop {
            let offset = text.len() - characters.0.as_str().len();
            let Some(character) = characters.next() else { return Ok(()) };
            self.token(character).ok_or(PrimeError { character, position, offset })?;
            position += 1;
        }
    }

    /// How the corpus was normalised.
    #[must_use]
    pub const fn normalisation(&self) -> Normalisation {
        self.fields.normalisation
    }

    /// Converts `logit` to the integer used by the sampler, see
    /// [`nats_per_logit_q32`](Self::nats_per_logit_q32).
    #[must_use]
    pub fn fixed_point(logit: P::Sum) -> i32 {
        P::fixed_point(logit)
    }

    /// The value in nats of a [fixed-point](Self::fixed_point) logit of 1, in units of 2⁻³².
    #[must_use]
    pub fn nats_per_logit_q32(&self) -> u32 {
        P::nats_per_logit_q32(&self.fields.precision)
    }
}
