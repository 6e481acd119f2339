//! Flash images for the boards that run Charcell's firmware, and how fast each board writes.
//!
//! ```no_run
//! use charcell_flash::{Format, Image, board};
//!
//! let board = board("pico").ok_or("there is no such board")?;
//! let model = std::fs::read("model.postcard")?;
//! board.check(&model)?;
//! let mut image = Image::of_firmware(board, &std::fs::read("pico.elf")?)?;
//! image.add(board.model_address, &model)?;
//! for format in Format::all(board, false) {
//!     std::fs::write(format!("pico.{}", format.ending()), image.to_file(format))?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod board;
mod elf;
mod error;
mod firmware;
mod fit;
mod format;
mod hex;
mod image;
mod speed;
mod table;
mod uf2;
mod work;

pub use board::{Board, Core, EraseUnits, FlashWait, Flashing, RISCV_CLOCKS_PER_INSTRUCTION};
pub use error::{FirmwareError, ImageError};
pub use format::Format;
pub use image::Image;
pub use speed::{Limit, Speed};
pub use table::{BOARDS, board};
