//! How fast a board writes: computed from the clock cycles of its core and the bandwidth of its
//! flash, because each weight is read once per character and no microcontroller's cache holds them
//! all.

use std::fmt;

use infer_core::{Dimensions, Int8, Model, Placement};

use crate::board::{Board, FlashWait};
use crate::work::Work;

/// What takes most of the time for a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The core computes.
    Core,
    /// The core waits for flash.
    Flash,
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Core => "core",
            Self::Flash => "flash",
        })
    }
}

/// How fast a board writes with a model: computed, never measured on hardware.
///
/// This is for greedy sampling. Random sampling takes a few more passes over the vocabulary, and
/// top-k and top-p up to 32 each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed {
    /// Characters per second with as many weights in RAM as the firmware has room for, rounded to
    /// two digits.
    pub characters_per_second: f64,
    /// The same with all weights in flash.
    pub from_flash_alone: f64,
    /// What takes most of the time, with as many weights in RAM as fit.
    pub limit: Limit,
    /// Which weights are in RAM.
    pub placement: Placement,
}

impl Board {
    /// How fast the board writes with a dense int8 model of these sizes, if it has a clock.
    #[must_use]
    pub fn speed(&self, dimensions: Dimensions) -> Option<Speed> {
        let none = Placement::new::<Int8>(dimensions, 0);
        self.speed_with(self.core.clocks(dimensions), self.placement(dimensions), none)
    }

    /// How fast the board writes with the model of `artifact`, if it has a clock and runs such
    /// models: those with int8 or int4 weights.
    #[must_use]
    pub fn speed_of(&self, artifact: &[u8]) -> Option<Speed> {
        let model = Model::<Int8>::load(artifact).ok()?;
        let core = Work::of_artifact(artifact).ok()?.clocks(self.core);
        self.speed_with(core, self.placement_of(&model), model.placement(0))
    }

    /// The speed if the core takes this many clock cycles without waiting.
    fn speed_with(&self, core: f64, placement: Placement, none: Placement) -> Option<Speed> {
        let clock_hz = f64::from(self.clock_hz?);
        let [wait, longest_wait] =
            [placement, none].map(|it| waited_clocks(self.flash_wait, it.flash_bytes_read));
        Some(Speed {
            characters_per_second: two_digits(clock_hz / (core + wait)),
            from_flash_alone: two_digits(clock_hz / (core + longest_wait)),
            limit: if core < wait { Limit::Flash } else { Limit::Core },
            placement,
        })
    }
}

impl Speed {
    /// The share of the bytes read for a character that are in RAM.
    #[must_use]
    pub fn share_in_ram(&self) -> f64 {
        let Placement { ram_bytes_read, flash_bytes_read, .. } = self.placement;
        ram_bytes_read as f64 / (ram_bytes_read + flash_bytes_read).max(1) as f64
    }
}

/// Clock cycles that a core waits for `bytes` of flash.
fn waited_clocks(wait: FlashWait, bytes: usize) -> f64 {
    bytes as f64 / f64::from(wait.bytes) * f64::from(wait.clocks)
}

/// `number`, rounded to two digits: the computation isn't more precise.
fn two_digits(number: f64) -> f64 {
    let unit = 10_f64.powf(number.log10().floor() - 1.0);
    // Units below 1 aren't exact, but their reciprocals are.
    if unit < 1.0 {
        (number / unit).round() / (1.0 / unit).round()
    } else {
        (number / unit).round() * unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::board;

    #[test]
    fn numbers_have_two_digits() {
        for (number, rounded) in [(0.123, 0.12), (9.96, 10.0), (25.8, 26.0), (249.0, 250.0)] {
            assert_eq!(two_digits(number), rounded);
        }
        assert_eq!(
            [6.347, 113.0, 1e4].map(two_digits).map(|it| it.to_string()),
            ["6.3", "110", "10000"]
        );
    }

    /// A model with 256 units and 43 characters: computed by hand from the chips' documents.
    #[test]
    fn speeds_are_what_flash_and_core_allow() {
        let dimensions = Dimensions { vocabulary: 43, hidden: 256, layers: 1 };
        for (name, from_flash_alone, characters_per_second, limit) in [
            ("pico", 26.0, 76.0, Limit::Core),
            ("pico2", 64.0, 400.0, Limit::Core),
            ("esp32-c3", 23.0, 110.0, Limit::Core),
            ("microbit-v2", 110.0, 130.0, Limit::Core),
            ("nrf52840-dk", 110.0, 160.0, Limit::Core),
            ("nucleo-f411", 230.0, 250.0, Limit::Core),
            ("netduinoplus2", 43.0, 43.0, Limit::Core),
        ] {
            let speed = board(name).unwrap().speed(dimensions).unwrap();
            assert_eq!(speed.from_flash_alone, from_flash_alone, "{name}");
            assert_eq!(speed.characters_per_second, characters_per_second, "{name}");
            assert_eq!(speed.limit, limit, "{name}");
        }
        // With few units, the cost of a unit and of padding matters.
        for (hidden, characters_per_second) in [(128, 44.0), (33, 360.0)] {
            let speed = board("microbit-v1").unwrap().speed(Dimensions { hidden, ..dimensions });
            assert_eq!(speed.unwrap().characters_per_second, characters_per_second, "{hidden}");
        }
        let large = Dimensions { hidden: 512, ..dimensions };
        let speed = board("pico2").unwrap().speed(large).unwrap();
        assert_eq!(speed.limit, Limit::Flash);
    }
}
