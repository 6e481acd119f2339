//! The values that options of `charcell train` accept.

use charcell::text::WindowSampling;
use charcell::{InitialWeights, Optimizer, Precision, Preset, Schedule};
use clap::ValueEnum;

/// A command-line value for each variant of an enum of the library, with its help.
macro_rules! words {
    ($argument:ident for $library:ident {
        $($(#[doc = $help:literal])* $variant:ident),* $(,)?
    }) => {
        #[derive(Debug, Clone, Copy, ValueEnum)]
        #[value(rename_all = "lower")]
        pub(super) enum $argument {
            $($(#[doc = $help])* $variant),*
        }

        /// Doesn't compile if a variant has no value.
        const _: fn($library) = |variant| match variant {
            $($library::$variant => {}),*
        };

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
    /// A recipe that predicts unseen text better, in less time.
    Good,
    /// At most 52,000 bytes of flash: predicts unseen text better than the chapter's model, which
    /// has six times as many.
    Tiny,
    /// At most 98,000 bytes of flash: predicts better than `tiny`.
    Small,
    /// At most 324,000 bytes of flash: predicts best.
    Best,
});

words!(InitialWeightsArgument for InitialWeights {
    /// From a normal distribution with a deviation of 0.01.
    Chapter,
    /// Evenly from ±1/√H, as in PyTorch.
    Uniform,
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
    /// The learning rate stays the same.
    Constant,
    /// It follows half a period of a cosine, down to 0 at the end of the training (arXiv
    /// 1608.03983, without restarts).
    Cosine,
    /// It is multiplied by --decay-factor every --decay-every epochs.
    Step,
});

words!(SamplingArgument for WindowSampling {
    /// Each row of a window continues the text and the state of the same row in the last window.
    Consecutive,
    /// Windows in random order, each starting from a state of zeros.
    Random,
});

/// The precisions that a model can be trained for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum IntegersArgument {
    /// One byte per weight.
    Int8,
    /// Four bits per weight.
    Int4,
}

impl From<IntegersArgument> for Precision {
    fn from(argument: IntegersArgument) -> Self {
        match argument {
            IntegersArgument::Int8 => Self::Int8,
            IntegersArgument::Int4 => Self::Int4,
        }
    }
}
