//! Generating text that continues a prefix.

use rand_core::Rng;
use rand_pcg::Pcg32;

#[cfg(all(target_pointer_width = "32", not(target_arch = "x86")))]
use crate::memory::GENERATOR_BYTES;
use crate::sampling::Sampler;
use crate::state::{CapacityError, State, StateView};
use crate::vocabulary::{Characters, PrimeError, Token};
use crate::{Int8, Model, Precision, Sampling};

/// The sequence used by [`Pcg32`]: the one in its authors' examples.
const STREAM: u64 = 0x0a02_bdbf_7bb3_c0a7;

/// Generates text: an endless iterator of characters.
///
/// Each character costs one step of the model, including its logits. The generator keeps the state,
/// so priming it again continues the same text.
///
/// Random numbers come from [`Pcg32`] with the seed of the [`Sampling`], or from the program's own
/// generator `R`: see [`with_random`](Self::with_random).
#[derive(Debug)]
pub struct Generator<'m, P: Precision = Int8, R = Pcg32> {
    model: &'m Model<'m, P>,
    state: StateView<'m, P>,
    sampler: Sampler,
    random: R,
    /// The last character of the text, which has not been fed to the state yet.
    last: Option<Token>,
}

impl<'m, P: Precision> Generator<'m, P> {
    /// Creates a generator at the start of a text; `state` is reset.
    ///
    /// # Errors
    /// [`CapacityError`] if the model is larger than `state`.
    pub fn new<const H: usize, const V: usize, const L: usize>(
        model: &'m Model<'m, P>,
        state: &'m mut State<H, V, L, P>,
        sampling: Sampling,
    ) -> Result<Self, CapacityError> {
        Ok(Self::from_view(model, state.view(model)?, sampling))
    }

    /// Like [`new`](Self::new), with a state whose size is only known at run time. The state must
    /// have been made for this `model`; with one made for another model, there is no text, or it
    /// ends early.
    #[must_use]
    pub fn from_view(
        model: &'m Model<'m, P>,
        mut state: StateView<'m, P>,
        sampling: Sampling,
    ) -> Self {
        state.reset();
        let sampler = Sampler::new(sampling, model.nats_per_logit_q32());
        Self { model, state, sampler, random: seeded(sampling.seed), last: None }
    }

    /// Starts a new text: the state is reset, and the random numbers start at the seed.
    pub fn restart(&mut self, sampling: Sampling) {
        self.restart_unseeded(sampling);
        self.random = seeded(sampling.seed);
    }
}

impl<'m, P: Precision, R> Generator<'m, P, R> {
    /// Uses other random numbers, such as those of a chip's hardware generator. The seed then has
    /// no effect.
    ///
    /// Every character that isn't chosen greedily uses one 32-bit number.
    ///
    /// ```
    /// use infer_core::{Generator, Model, Sampling, State, rand_core};
    ///
    /// /// Stands in for a chip's noise source.
    /// struct Noise(u32);
    ///
    /// impl rand_core::TryRng for Noise {
    ///     type Error = core::convert::Infallible;
    ///
    ///     fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
    ///         self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    ///         Ok(self.0)
    ///     }
    ///
    ///     fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
    ///         Ok(u64::from(self.try_next_u32()?) << 32 | u64::from(self.try_next_u32()?))
    ///     }
    ///
    ///     fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
    ///         bytes.fill_with(|| (self.0 >> 24) as u8);
    ///         Ok(())
    ///     }
    /// }
    ///
    /// static ARTIFACT: &[u8] = infer_core::include_model!("../tests/models/tiny-int8.postcard");
    /// let model = Model::load(ARTIFACT)?;
    /// let mut state = State::<16, 22, 2>::new();
    /// let sampling = Sampling::random().with_temperature_milli(800);
    /// let mut generator = Generator::new(&model, &mut state, sampling)?.with_random(Noise(1));
    /// assert_eq!(generator.by_ref().take(50).count(), 50);
    /// generator.restart_unseeded(sampling); // the next text
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_random<S: Rng>(self, random: S) -> Generator<'m, P, S> {
        let Self { model, state, sampler, last, .. } = self;
        Generator { model, state, sampler, random, last }
    }

    /// Feeds `text` to the model as if the generator had written it.
    ///
    /// # Errors
    /// [`PrimeError`] names the first character that the vocabulary lacks and the artifact doesn't
    /// replace; in that case the state is unchanged.
    pub fn prime(&mut self, text: &str) -> Result<(), PrimeError> {
        self.model.check(text)?;
        for token in Characters(text.chars()).filter_map(|character| self.model.token(character)) {
            self.step();
            self.last = Some(token);
        }
        Ok(())
    }

    /// Starts a new text like `restart`, but continues the sequence of random numbers and ignores
    /// the seed: for generators passed to [`with_random`](Self::with_random).
    pub fn restart_unseeded(&mut self, sampling: Sampling) {
        self.state.reset();
        self.sampler = Sampler::new(sampling, self.model.nats_per_logit_q32());
        self.last = None;
    }

    /// The model.
    #[must_use]
    pub const fn model(&self) -> &'m Model<'m, P> {
        self.model
    }

    /// The state, which has been fed all characters but the last.
    #[must_use]
    pub const fn state(&self) -> &StateView<'m, P> {
        &self.state
    }

    /// Feeds the last character to the state.
    fn step(&mut self) {
        if let Some(token) = self.last.take() {
            self.model.step(&mut self.state, token);
        }
    }
}

#[cfg(feature = "embedded-io")]
impl<P: Precision, R: Rng> Generator<'_, P, R> {
    /// Writes the next `length` characters to `writer` as UTF-8, each as soon as it is generated.
    ///
    /// # Errors
    /// The error of `writer`; the character that could not be written stays in the text.
    pub fn write_to<W: embedded_io::Write>(
        &mut self,
        mut writer: W,
        length: usize,
    ) -> Result<(), W::Error> {
        for character in self.take(length) {
            writer.write_all(character.encode_utf8(&mut [0; 4]).as_bytes())?;
        }
        Ok(())
    }
}

impl<P: Precision, R: Rng> Iterator for Generator<'_, P, R> {
    type Item = char;

    /// The next character; never `None`.
    fn next(&mut self) -> Option<char> {
        self.step();
        self.model.logits(&mut self.state);
        let logits = || self.state.logits.iter().map(|&logit| P::fixed_point(logit));
        let token = self.sampler.choose(|| self.random.next_u32(), logits);
        self.last = Some(token);
        self.model.vocabulary().character(token)
    }
}

/// The random number generator for `seed`.
#[inline(never)] // inlining would duplicate this code
fn seeded(seed: u64) -> Pcg32 {
    Pcg32::new(seed, STREAM)
}

#[cfg(all(target_pointer_width = "32", not(target_arch = "x86")))]
const _: () = assert!(size_of::<Generator<'static, Int8>>() == GENERATOR_BYTES);
