//! The UART: sends by polling, receives in a task that polls it every millisecond, which also wakes
//! the processor.

use embassy_rp::peripherals::{PIN_0, PIN_1, UART0};
use embassy_rp::uart::{Blocking, Config, Uart, UartRx};
use embassy_rp::{Peri, pac};
use embassy_time::Timer;
use embedded_hal_nb::serial::Read as _;

/// The UART on GP0 and GP1, at 115,200 baud. GP1 is pulled up, so that it idles if nothing is
/// connected; by default the chip pulls it down.
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

/// Buffers what the UART has received in its FIFO of 32 bytes, which is full after 2.7 ms.
#[embassy_executor::task]
pub(crate) async fn receive(mut rx: UartRx<'static, Blocking>) {
    loop {
        match rx.read() {
            Ok(byte) => charcell_support::receive(byte),
            Err(nb::Error::WouldBlock) => Timer::after_millis(1).await,
            // A byte is lost; the next one may be correct.
            Err(nb::Error::Other(_)) => {}
        }
    }
}
