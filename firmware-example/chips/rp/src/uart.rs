//! The UART: sending polled, receiving by a task that looks after it every millisecond, which ends
//! the processor's rests, too.

use embassy_rp::peripherals::{PIN_0, PIN_1, UART0};
use embassy_rp::uart::{Blocking, Config, Uart, UartRx};
use embassy_rp::{Peri, pac};
use embassy_time::Timer;
use embedded_hal_nb::serial::Read as _;

/// The UART on GP0 and GP1, at 115,200 baud. Where nothing is connected to the latter, it is pulled
/// up, as a UART at rest; the chip itself would pull it down.
pub(crate) fn start(
    uart: Peri<'static, UART0>,
    tx: Peri<'static, PIN_0>,
    rx: Peri<'static, PIN_1>,
) -> Uart<'static, Blocking> {
    let uart = Uart::new_blocking(uart, tx, rx, Config::default());
    pac::PADS_BANK0.gpio(1).modify(|pad| {
        pad.set_pue(true);
        pad.set_pde(false);
    });
    uart
}

/// Puts aside what the UART's buffer of 32 bytes has received: it is full after 2.7 ms.
#[embassy_executor::task]
pub(crate) async fn receive(mut rx: UartRx<'static, Blocking>) {
    loop {
        match rx.read() {
            Ok(byte) => charcell_support::receive(byte),
            Err(nb::Error::WouldBlock) => Timer::after_millis(1).await,
            // A byte is lost, and the next may be well.
            Err(nb::Error::Other(_)) => {}
        }
    }
}
