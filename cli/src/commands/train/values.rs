//! The words that options of `charcell train` take.

use charcell::text::WindowSampling;
use charcell::{Optimizer, Preset, Schedule};
use clap::ValueEnum;

/// A word for each variant of an enum of the library, with its line in the help.
macro_rules! words {
    ($argument:ident for $library:ident {
        $($(#[doc = $help:literal])* $variant:ident),* $(,)?
    }) => {
        #[derive(Debug, Clone, Copy, ValueEnum)]
        #[value(rename_all = "lower")]
        pub(super) enum $argument {
            $($(#[doc = $help])* $variant),*
        }

        impl From<$argument> for $library {
            fn from(argument: $argument) -> Self {
                match argument {
                    $($argument::$variant => Self::$variant),*
                }
            }
        }
    };
}

words!(PresetArgument for Preset {
    /// The recipe of *Dive into Deep Learning*.
    Chapter,
    /// A recipe that predicts text better that it hasn't seen, in less time.
    Good,
});

words!(OptimizerArgument for Optimizer {
    /// Stochastic gradient descent: θ ← θ − rate · g.
    Sgd,
    /// Adam (arXiv 1412.6980) with PyTorch's β₁ = 0.9, β₂ = 0.999 and ε = 1e-8.
    Adam,
    /// Adam with decoupled weight decay (arXiv 1711.05101).
    AdamW,
});

words!(ScheduleArgument for Schedule {
    /// It stays as it is.
    Constant,
    /// It follows half a cosine down to 0 at the end of the training (arXiv 1608.03983, without
    /// restarts).
    Cosine,
    /// It is multiplied by a factor every some epochs.
    Step,
});

words!(SamplingArgument for WindowSampling {
    /// Row b of a window goes on where row b of the last one ended, so the state is carried over.
    Consecutive,
    /// Windows in shuffled order; each starts with a state of zeros.
    Random,
});
