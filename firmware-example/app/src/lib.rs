//! What the example firmware does, on any board: it shows on a console what its model writes.
//!
//! A board gives it the console, any [`embedded_io::Write`], and the model's artifact:
//!
//! ```
//! let mut screen = [0; 160];
//! let artifact = infer_core::artifact::Aligned(*b"CHAR");
//! let outcome = charcell_app::run(&mut screen[..], &artifact.0);
//! assert!(matches!(outcome, Err(charcell_app::Failure::Load(_))));
//! assert!(screen.starts_with(b"error: the artifact is cut short"));
//! ```

#![no_std]

use embedded_io::{Write, WriteFmtError};
use infer_core::{
    CapacityError, Dimensions, Generator, LoadError, Model, PrimeError, Sampling, State,
};

/// Characters shown after each prefix.
const LENGTH: usize = 200;

/// The ways to choose characters that are shown, each with its name.
const WAYS: [(&str, Sampling); 2] = [
    ("greedy", Sampling::greedy()),
    ("temperature 0.7, seed 7", Sampling::greedy().with_temperature_milli(700).with_seed(7)),
];

/// Memory for models of up to 256 hidden units, 64 characters and one layer.
type Memory = State<256, 64, 1>;

/// Shows on `console` what the model in `artifact` makes of its own prefixes.
///
/// Each text follows a heading, `== <prefix> | <way> ==`, on lines of its own. What goes wrong is
/// said on the console, too.
///
/// # Errors
/// [`Failure`], by what went wrong.
pub fn run<W: Write>(mut console: W, artifact: &[u8]) -> Result<(), Failure> {
    let outcome = show(&mut console, artifact);
    if let Err(failure) = &outcome {
        writeln!(console, "error: {failure}")?;
    }
    console.flush().map_err(|_| Failure::Console)?;
    outcome
}

fn show<W: Write>(console: &mut W, artifact: &[u8]) -> Result<(), Failure> {
    let model = Model::load(artifact)?;
    introduce(console, &model, artifact.len())?;
    let mut memory = Memory::new();
    for prefix in model.prefixes() {
        for (way, sampling) in WAYS {
            let mut generator = Generator::new(&model, &mut memory, sampling)?;
            generator.prime(prefix)?;
            write(console, prefix, way, generator.take(LENGTH))?;
        }
    }
    Ok(())
}

/// One line about the model.
fn introduce<W: Write>(console: &mut W, model: &Model<'_>, bytes: usize) -> Result<(), Failure> {
    let Dimensions { hidden, vocabulary, .. } = model.dimensions();
    writeln!(
        console,
        "A model of {hidden} hidden units that knows {vocabulary} characters, {bytes} bytes."
    )?;
    Ok(())
}

/// A heading, and below it `prefix` with its continuation, character by character as it is made.
fn write<W: Write>(
    console: &mut W,
    prefix: &str,
    way: &str,
    continuation: impl Iterator<Item = char>,
) -> Result<(), Failure> {
    write!(console, "\n== {prefix} | {way} ==\n{prefix}")?;
    for character in continuation {
        write!(console, "{character}")?;
    }
    writeln!(console)?;
    Ok(())
}

/// Why the model couldn't be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The artifact can't be run.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The model needs more memory than there is.
    #[error(transparent)]
    Capacity(#[from] CapacityError),
    /// A prefix of the artifact has a character that its vocabulary lacks.
    #[error(transparent)]
    Prime(#[from] PrimeError),
    /// The console takes no more text.
    #[error("the console takes no more text")]
    Console,
}

impl<E> From<WriteFmtError<E>> for Failure {
    fn from(_: WriteFmtError<E>) -> Self {
        Self::Console
    }
}
