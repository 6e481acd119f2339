//! The precision of a model's weights.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The precision of an artifact's weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// One byte per weight, integer arithmetic: for microcontrollers.
    Int8,
    /// Four bits per weight, integer arithmetic: half the flash. The model has to be trained for
    /// it.
    Int4,
    /// Four bytes per weight: for hosts, and for cores with an FPU.
    F32,
}

impl Precision {
    /// Its name, as in files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Int4 => "int4",
            Self::F32 => "f32",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
