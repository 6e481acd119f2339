//! The table: a family of boards has its shared values once.

use crate::board::{Board, Core, EraseUnits, FlashWait, Flashing};

const CORTEX_M0: &str = "thumbv6m-none-eabi";
const CORTEX_M4F: &str = "thumbv7em-none-eabihf";
const CORTEX_M33: &str = "thumbv8m.main-none-eabihf";

const KIB: u32 = 1 << 10;
const MIB: u32 = 1 << 20;

/// All boards, those to buy first.
pub static BOARDS: [Board; 11] = [
    Board {
        name: "pico",
        title: "Raspberry Pi Pico",
        chip: Some("RP2040"),
        core: Core::CortexM0Plus,
        target: CORTEX_M0,
        flash_bytes: 2 * MIB,
        ram_bytes: 264 * KIB,
        clock_hz: Some(125_000_000),
        memory_bytes: 252 * KIB as usize,
        // The second stage of the boot loader that embassy-rp links reads 32 bits in 20 clocks of
        // the flash, each of two clocks of the core (rp2040-boot2 0.3, BOOT_LOADER_W25Q080): 40. The
        // one public measurement is 400 ns, which is taken here.
        flash_wait: FlashWait { bytes: 4, clocks: 50 },
        uf2_family: Some(0xE48B_FF56),
        flashing: bootsel("RPI-RP2"),
        ..RASPBERRY_PI
    },
    Board {
        name: "pico2",
        title: "Raspberry Pi Pico 2",
        chip: Some("RP235x"),
        core: Core::CortexM33,
        target: CORTEX_M33,
        flash_bytes: 4 * MIB,
        ram_bytes: 520 * KIB,
        clock_hz: Some(150_000_000),
        memory_bytes: 504 * KIB as usize,
        // The boot ROM leaves the flash at a third of the core's clock, reading 8 bytes in 50 to 56
        // clocks (pico-bootrom-rp2350, varm_generic_flash.c).
        flash_wait: FlashWait { bytes: 8, clocks: 56 },
        uf2_family: Some(0xE48B_FF59),
        flashing: bootsel("RP2350"),
        ..RASPBERRY_PI
    },
    Board {
        name: "microbit-v2",
        title: "BBC micro:bit v2",
        chip: Some("nRF52833_xxAA"),
        flash_bytes: 512 * KIB,
        ram_bytes: 128 * KIB,
        memory_bytes: 112 * KIB as usize,
        model_address: 128 * KIB,
        flashing: MICROBIT,
        ..NRF52
    },
    Board {
        name: "nrf52840-dk",
        title: "nRF52840 DK",
        chip: Some("nRF52840_xxAA"),
        flash_bytes: MIB,
        ram_bytes: 256 * KIB,
        memory_bytes: 240 * KIB as usize,
        model_address: 256 * KIB,
        flashing: Flashing::Probe { is_drive: true },
        ..NRF52
    },
    Board {
        name: "nucleo-f411",
        title: "STM32 Nucleo-F411RE",
        chip: Some("STM32F411RETx"),
        flash_bytes: 512 * KIB,
        clock_hz: Some(100_000_000),
        // Lines of 128 bits, three wait states at this clock (RM0383, 3.4).
        flash_wait: FlashWait { bytes: 16, clocks: 3 },
        model_address: 0x0802_0000,
        flashing: Flashing::Probe { is_drive: true },
        ..STM32F4
    },
    Board {
        name: "netduinoplus2",
        title: "STM32F405RG (Netduino Plus 2)",
        chip: Some("STM32F405RG"),
        flash_bytes: MIB,
        // Its internal oscillator, as the emulator has no other.
        clock_hz: Some(16_000_000),
        model_address: 0x0808_0000,
        ..STM32F4
    },
    Board {
        name: "microbit-v1",
        title: "BBC micro:bit v1",
        chip: Some("nRF51822_xxAA"),
        core: Core::CortexM0,
        target: CORTEX_M0,
        flash_bytes: 256 * KIB,
        // Pages (DAPLink, nrf51822/flash_blob.c).
        erase_units: &[EraseUnits { from: 0, bytes: KIB }],
        ram_bytes: 16 * KIB,
        clock_hz: Some(16_000_000),
        model_address: 96 * KIB,
        memory_bytes: 8 * KIB as usize,
        flashing: MICROBIT,
        ..CORTEX_M4
    },
    Board {
        name: "esp32-c3",
        title: "ESP32-C3 with 4 MB",
        chip: Some("esp32c3"),
        core: Core::RiscV32,
        target: "riscv32imc-unknown-none-elf",
        flash_bytes: 4 * MIB,
        ram_address: 0x3FC8_0000,
        ram_bytes: 400 * KIB,
        clock_hz: Some(160_000_000),
        memory_bytes: 288 * KIB as usize,
        // A line of the cache takes 3.95 µs: two lines of data at 40 MHz, as espflash sets them.
        flash_wait: FlashWait { bytes: 32, clocks: 632 },
        model_address: 2 * MIB,
        flashing: Flashing::Espflash {
            model_mapped_at: 0x3C40_0000,
            // Data and code in flash as the cache maps them; RAM as data and as code.
            program: &[
                0x3C00_0000..0x3C40_0000,
                0x4200_0000..0x4240_0000,
                0x3FC8_0000..0x3FCE_0000,
                0x4037_C000..0x403E_0000,
            ],
        },
        ..CORTEX_M4
    },
    Board { name: "mps2-an386", title: "Arm MPS2 with AN386 (emulated)", ..MPS2 },
    Board {
        name: "mps2-an505",
        title: "Arm MPS2 with AN505 (emulated)",
        core: Core::CortexM33,
        target: CORTEX_M33,
        flash_address: 0x1000_0000,
        ram_address: 0x3800_0000,
        clock_hz: Some(20_000_000),
        model_address: 0x1010_0000,
        ..MPS2
    },
    // It boots from its RAM, whose first 8 MB stand in for flash, but for the second MB: that is
    // the firmware's RAM. Its instructions take no time that a clock would tell.
    Board {
        name: "riscv-virt",
        title: "QEMU's RISC-V machine (emulated)",
        core: Core::RiscV32,
        target: "riscv32imac-unknown-none-elf",
        flash_address: 0x8000_0000,
        flash_bytes: 8 * MIB,
        ram_address: 0x8010_0000,
        ram_bytes: MIB,
        memory_bytes: 960 * KIB as usize,
        clock_hz: None,
        model_address: 0x8040_0000,
        ..MPS2
    },
];

/// The board called `name`.
#[must_use]
pub fn board(name: &str) -> Option<&'static Board> {
    BOARDS.iter().find(|board| board.name == name)
}

/// What most boards have; what differs is filled in above.
const CORTEX_M4: Board = Board {
    name: "",
    title: "",
    chip: None,
    core: Core::CortexM4,
    target: CORTEX_M4F,
    flash_address: 0,
    flash_bytes: 0,
    // Sectors of SPI flash, and pages of the nRF52.
    erase_units: &[EraseUnits { from: 0, bytes: 4 * KIB }],
    ram_address: 0x2000_0000,
    ram_bytes: 0,
    clock_hz: None,
    model_address: 0,
    memory_bytes: 0,
    flash_wait: FlashWait::NONE,
    uf2_family: None,
    flashing: Flashing::Probe { is_drive: false },
};

const RASPBERRY_PI: Board =
    Board { flash_address: 0x1000_0000, model_address: 0x1010_0000, ..CORTEX_M4 };

const NRF52: Board = Board {
    clock_hz: Some(64_000_000),
    // Two to three wait states, which no document of Nordic's states; the firmware has the cache
    // for instructions on, and weights are read as data, past it.
    flash_wait: FlashWait { bytes: 4, clocks: 3 },
    ..CORTEX_M4
};

const STM32F4: Board = Board {
    flash_address: 0x0800_0000,
    // Sectors, four, one and all others (probe-rs 0.32, STM32F4_Series.yaml).
    erase_units: &[
        EraseUnits { from: 0, bytes: 16 * KIB },
        EraseUnits { from: 64 * KIB, bytes: 64 * KIB },
        EraseUnits { from: 128 * KIB, bytes: 128 * KIB },
    ],
    ram_bytes: 128 * KIB,
    memory_bytes: 112 * KIB as usize,
    ..CORTEX_M4
};

/// Arm's board MPS2, whose memory for code stands in for flash.
const MPS2: Board = Board {
    flash_bytes: 4 * MIB,
    erase_units: &[EraseUnits { from: 0, bytes: 1 }],
    ram_bytes: 4 * MIB,
    memory_bytes: MIB as usize,
    clock_hz: Some(25_000_000),
    model_address: MIB,
    flashing: Flashing::Emulator,
    ..CORTEX_M4
};

/// A board with a boot loader in ROM, which becomes the drive called `name`.
const fn bootsel(name: &'static str) -> Flashing {
    let how = "plug it in with BOOTSEL held down";
    Flashing::Drive { how, name, format: "uf2", erases_all: false }
}

const MICROBIT: Flashing =
    Flashing::Drive { how: "plug it in", name: "MICROBIT", format: "hex", erases_all: true };
