//! Code shared by several boards: the application's memory and flash, received bytes, a clock, and
//! the RAM in use.

#![no_std]

mod console;
mod flash;
mod ram;
mod run;
#[cfg(target_arch = "arm")]
mod systick;

pub use charcell_app::Identity;
pub use console::{Console, receive};
pub use flash::{model_bytes, model_flash, models};
pub use infer_core::artifact::Aligned;
pub use ram::{paint_stack, ram};
pub use run::{Memory, identity, number, run};
#[cfg(target_arch = "arm")]
pub use systick::Clock;
