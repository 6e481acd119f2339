//! The boards that the firmware runs on: the one table of their memory, their speed and their
//! place for models.

use infer_core::artifact::{TensorName, tensors};
use infer_core::layout::{ALIGNMENT, padded};
use infer_core::{Dimensions, Int8, Memory};

use crate::{AnyModel, Artifact, Error};

/// A board, or a machine that an emulator offers.
#[derive(Debug)]
pub struct Board {
    /// Its name in commands, and that of its folder in `firmware-example/`.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Its microcontroller, as probe-rs calls it; nothing where there is only an emulator.
    pub chip: Option<&'static str>,
    /// What its programs run on.
    pub core: Core,
    /// The compiler's target for its firmware.
    pub target: &'static str,
    /// Bytes of flash.
    pub flash_bytes: u32,
    /// Bytes of RAM.
    pub ram_bytes: u32,
    /// Clock of the core as the firmware sets it, in hertz.
    pub clock_hz: u32,
    /// Where flash starts.
    pub flash_address: u32,
    /// Where a model starts.
    pub model_address: u32,
    /// The most bytes that a model may have.
    pub model_bytes: usize,
    /// Bytes that the firmware keeps for a model's state.
    pub state_bytes: usize,
    /// The family of its UF2 files, if its boot loader takes those.
    pub uf2_family: Option<u32>,
    /// How to write a file to it, by its user.
    pub flashing: Flashing,
}

/// How a board takes an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flashing {
    /// A file of this format is copied to the drive that the board becomes.
    Drive {
        /// How the board becomes a drive.
        how: &'static str,
        /// Name of the drive.
        name: &'static str,
        /// Ending of the file's name.
        format: &'static str,
        /// Whether the board forgets what isn't in the file.
        erases_all: bool,
    },
    /// By probe-rs, over a debug probe, perhaps the board's own.
    Probe,
    /// By espflash, which makes an image of the firmware's ELF file by itself, over a serial port:
    /// firmware and model are two files.
    Espflash,
    /// There is only an emulator.
    Emulator,
}

/// A kind of processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Core {
    /// Arm Cortex-M0 and M0+.
    CortexM0,
    /// Arm Cortex-M4 and M33: with DSP instructions.
    CortexM4,
    /// RISC-V with 32 bits.
    RiscV32,
}

impl Core {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CortexM0 => "Cortex-M0",
            Self::CortexM4 => "Cortex-M4",
            Self::RiscV32 => "RV32",
        }
    }

    /// Instructions that an int8 model takes for each of its multiply-adds, all that a character
    /// needs included: counted in an emulator for 256 units and 41 characters, on the Cortex-M4 and
    /// the M33 alike within 1 %.
    const fn instructions_per_multiply_add(self) -> f64 {
        match self {
            Self::CortexM0 => 3.49,
            Self::CortexM4 => 0.987,
            Self::RiscV32 => 3.45,
        }
    }
}

const CORTEX_M0: &str = "thumbv6m-none-eabi";
const CORTEX_M4F: &str = "thumbv7em-none-eabihf";
const CORTEX_M33: &str = "thumbv8m.main-none-eabihf";

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Bytes that most firmware keeps for a model's state: enough for 1024 units in three layers.
const STATE_BYTES: usize = 32 * KIB;

/// A board with Arm's MPS2 image; what differs is filled in below.
const EMULATED: Board = Board {
    name: "",
    title: "",
    chip: None,
    core: Core::CortexM4,
    target: CORTEX_M4F,
    flash_bytes: 4 * MIB as u32,
    ram_bytes: 4 * MIB as u32,
    clock_hz: 25_000_000,
    flash_address: 0,
    model_address: MIB as u32,
    model_bytes: 3 * MIB,
    state_bytes: STATE_BYTES,
    uf2_family: None,
    flashing: Flashing::Emulator,
};

/// All boards, those to buy first.
pub static BOARDS: [Board; 11] = [
    Board {
        name: "pico",
        title: "Raspberry Pi Pico",
        chip: Some("RP2040"),
        core: Core::CortexM0,
        target: CORTEX_M0,
        flash_bytes: 2 * MIB as u32,
        ram_bytes: 264 * KIB as u32,
        clock_hz: 125_000_000,
        flash_address: 0x1000_0000,
        model_address: 0x1010_0000,
        model_bytes: MIB,
        state_bytes: STATE_BYTES,
        uf2_family: Some(0xE48B_FF56),
        flashing: Flashing::Drive {
            how: "plug it in with BOOTSEL held down",
            name: "RPI-RP2",
            format: "uf2",
            erases_all: false,
        },
    },
    Board {
        name: "pico2",
        title: "Raspberry Pi Pico 2",
        chip: Some("RP235x"),
        core: Core::CortexM4,
        target: CORTEX_M33,
        flash_bytes: 4 * MIB as u32,
        ram_bytes: 520 * KIB as u32,
        clock_hz: 150_000_000,
        flash_address: 0x1000_0000,
        model_address: 0x1010_0000,
        model_bytes: 3 * MIB,
        state_bytes: STATE_BYTES,
        uf2_family: Some(0xE48B_FF59),
        flashing: Flashing::Drive {
            how: "plug it in with BOOTSEL held down",
            name: "RP2350",
            format: "uf2",
            erases_all: false,
        },
    },
    Board {
        name: "microbit-v2",
        title: "BBC micro:bit v2",
        chip: Some("nRF52833_xxAA"),
        core: Core::CortexM4,
        target: CORTEX_M4F,
        flash_bytes: 512 * KIB as u32,
        ram_bytes: 128 * KIB as u32,
        clock_hz: 64_000_000,
        flash_address: 0,
        model_address: 0x0002_0000,
        model_bytes: 384 * KIB,
        state_bytes: STATE_BYTES,
        uf2_family: None,
        flashing: Flashing::Drive {
            how: "plug it in",
            name: "MICROBIT",
            format: "hex",
            erases_all: true,
        },
    },
    Board {
        name: "nrf52840-dk",
        title: "nRF52840 DK",
        chip: Some("nRF52840_xxAA"),
        core: Core::CortexM4,
        target: CORTEX_M4F,
        flash_bytes: MIB as u32,
        ram_bytes: 256 * KIB as u32,
        clock_hz: 64_000_000,
        flash_address: 0,
        model_address: 0x0004_0000,
        model_bytes: 768 * KIB,
        state_bytes: STATE_BYTES,
        uf2_family: None,
        flashing: Flashing::Probe,
    },
    Board {
        name: "nucleo-f411",
        title: "STM32 Nucleo-F411RE",
        chip: Some("STM32F411RETx"),
        core: Core::CortexM4,
        target: CORTEX_M4F,
        flash_bytes: 512 * KIB as u32,
        ram_bytes: 128 * KIB as u32,
        clock_hz: 100_000_000,
        flash_address: 0x0800_0000,
        model_address: 0x0802_0000,
        model_bytes: 384 * KIB,
        state_bytes: STATE_BYTES,
        uf2_family: None,
        flashing: Flashing::Probe,
    },
    Board {
        name: "netduinoplus2",
        title: "STM32F405 (Netduino Plus 2)",
        chip: Some("STM32F405RG"),
        core: Core::CortexM4,
        target: CORTEX_M4F,
        flash_bytes: MIB as u32,
        ram_bytes: 128 * KIB as u32,
        clock_hz: 16_000_000,
        flash_address: 0x0800_0000,
        model_address: 0x0808_0000,
        model_bytes: 512 * KIB,
        state_bytes: STATE_BYTES,
        uf2_family: None,
        flashing: Flashing::Probe,
    },
    Board {
        name: "microbit-v1",
        title: "BBC micro:bit v1",
        chip: Some("nRF51822_xxAA"),
        core: Core::CortexM0,
        target: CORTEX_M0,
        flash_bytes: 256 * KIB as u32,
        ram_bytes: 16 * KIB as u32,
        clock_hz: 16_000_000,
        flash_address: 0,
        model_address: 0x0001_8000,
        model_bytes: 160 * KIB,
        state_bytes: 8 * KIB,
        uf2_family: None,
        flashing: Flashing::Drive {
            how: "plug it in",
            name: "MICROBIT",
            format: "hex",
            erases_all: true,
        },
    },
    Board {
        name: "esp32-c3",
        title: "ESP32-C3 with 4 MB",
        chip: Some("esp32c3"),
        core: Core::RiscV32,
        target: "riscv32imc-unknown-none-elf",
        flash_bytes: 4 * MIB as u32,
        ram_bytes: 400 * KIB as u32,
        clock_hz: 160_000_000,
        flash_address: 0,
        model_address: 0x0020_0000,
        model_bytes: 2 * MIB,
        state_bytes: STATE_BYTES,
        uf2_family: None,
        flashing: Flashing::Espflash,
    },
    Board { name: "mps2-an386", title: "Arm MPS2 with AN386 (emulated)", ..EMULATED },
    Board {
        name: "mps2-an505",
        title: "Arm MPS2 with AN505 (emulated)",
        target: CORTEX_M33,
        clock_hz: 20_000_000,
        flash_address: 0x1000_0000,
        model_address: 0x1010_0000,
        ..EMULATED
    },
    Board {
        name: "riscv-virt",
        title: "QEMU's RISC-V machine (emulated)",
        core: Core::RiscV32,
        target: "riscv32imac-unknown-none-elf",
        ram_bytes: MIB as u32,
        clock_hz: 10_000_000,
        flash_address: 0x8000_0000,
        model_address: 0x8040_0000,
        model_bytes: 4 * MIB,
        ..EMULATED
    },
];

/// The board called `name`.
#[must_use]
pub fn board(name: &str) -> Option<&'static Board> {
    BOARDS.iter().find(|board| board.name == name)
}

impl Board {
    /// Characters a second that the board writes with an int8 model of these sizes: an estimate,
    /// its instructions over the clock. Waiting for memory isn't counted, so it is an upper bound.
    #[must_use]
    pub fn characters_per_second(&self, dimensions: Dimensions) -> f64 {
        let Dimensions { vocabulary, hidden, layers } = dimensions;
        // The recurrent product of each layer, the input product of each but the first, the output.
        let multiply_adds = (2 * layers - 1) * 4 * hidden * hidden + vocabulary * hidden;
        let instructions = multiply_adds as f64 * self.core.instructions_per_multiply_add();
        f64::from(self.clock_hz) / instructions
    }

    /// Whether the firmware can run `model`, which is that of `artifact`.
    ///
    /// # Errors
    /// [`Error::NotForBoards`] if its weights are f32, [`Error::DoesNotFit`] if it is too large.
    pub fn check(&self, artifact: &Artifact, model: &AnyModel<'_>) -> Result<(), Error> {
        if matches!(model, AnyModel::F32(_)) {
            return Err(Error::NotForBoards);
        }
        let dimensions = model.dimensions();
        let fits = |hidden| {
            let scaled = Dimensions { hidden, ..dimensions };
            scaled_bytes(artifact.bytes(), dimensions.hidden, hidden) <= self.model_bytes
                && self.needed_state_bytes(scaled) <= self.state_bytes
        };
        let (needed, state_needed) = (artifact.bytes().len(), self.needed_state_bytes(dimensions));
        let (what, needed, available) = if needed > self.model_bytes {
            ("flash", needed, self.model_bytes)
        } else if state_needed > self.state_bytes {
            ("memory for its state", state_needed, self.state_bytes)
        } else {
            return Ok(());
        };
        let fitting_hidden = (1..dimensions.hidden).rev().find(|&hidden| fits(hidden));
        Err(Error::DoesNotFit { board: self.title, what, needed, available, fitting_hidden })
    }

    /// Bytes of the state of an int8 model on this board's core.
    fn needed_state_bytes(&self, dimensions: Dimensions) -> usize {
        let memory = match self.core {
            Core::CortexM0 => Memory::on_armv6m::<Int8>(dimensions),
            Core::CortexM4 | Core::RiscV32 => Memory::new::<Int8>(dimensions),
        };
        memory.state_bytes
    }
}

/// About the bytes of `artifact`, which has `hidden` units, if it had `scaled` units instead.
fn scaled_bytes(artifact: &[u8], hidden: usize, scaled: usize) -> usize {
    let header_bytes = tensors(artifact).next().map_or(0, |tensor| tensor.offset as usize);
    let (rows, columns) = ((hidden, scaled), (padded(hidden), padded(scaled)));
    let tensor_bytes = tensors(artifact).map(|tensor| {
        let bytes = tensor.bytes as usize;
        let bytes = match (tensor.name, tensor.layer) {
            (TensorName::WHh, _) | (TensorName::WIh, 1..) => {
                bytes * rows.1 * columns.1 / (rows.0 * columns.0)
            }
            (TensorName::WOut, _) => bytes * columns.1 / columns.0,
            (TensorName::BOut, _) => bytes,
            _ => (bytes * rows.1).div_ceil(rows.0),
        };
        bytes.next_multiple_of(ALIGNMENT)
    });
    header_bytes + tensor_bytes.sum::<usize>()
}
