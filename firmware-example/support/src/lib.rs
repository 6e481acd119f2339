//! What several boards share: the view of flash, received bytes, a clock, the stack's mark.

#![no_std]

mod console;
mod flash;
mod stack;
#[cfg(target_arch = "arm")]
mod systick;

pub use console::{Console, receive};
pub use flash::model_flash;
pub use stack::{paint_stack, stack_bytes};
#[cfg(target_arch = "arm")]
pub use systick::Clock;
