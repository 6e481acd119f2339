//! A USB serial port (a CDC ACM device), served by an executor in an interrupt, so that the host
//! gets answers while the model computes.

use core::cell::RefCell;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use charcell_app::Opening;
use embassy_futures::join::join4;
use embassy_rp::peripherals::USB;
use embassy_rp::usb::{Driver, InterruptHandler};
use embassy_rp::{Peri, bind_interrupts};
use embassy_sync::blocking_mutex::CriticalSectionMutex;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::pipe::Pipe;
use embassy_time::{Duration, Instant};
use embassy_usb::class::cdc_acm::{CdcAcmClass, ControlChanged, Receiver, Sender, State};
use embassy_usb::{Builder, Config};
use static_cell::StaticCell;

/// Raspberry Pi's vendor ID, and its product ID for a serial port.
const VENDOR: u16 = 0x2E8A;
const PRODUCT: u16 = 0x000A;

/// Maximum packet size of a full-speed device.
const PACKET_BYTES: usize = 64;

/// How long to wait for a host to read before output is dropped.
const TIME_LIMIT: Duration = Duration::from_millis(200);

/// Output for USB.
static SHOWN: Pipe<CriticalSectionRawMutex, 1024> = Pipe::new();

/// Whether a terminal has opened the port.
static OPENING: CriticalSectionMutex<RefCell<Opening>> =
    CriticalSectionMutex::new(RefCell::new(Opening::new()));

/// Nobody is reading, so writing doesn't wait.
static IS_STALLED: AtomicBool = AtomicBool::new(false);

bind_interrupts!(struct Interrupts {
    USBCTRL_IRQ => InterruptHandler<USB>;
});

/// Whether a terminal has opened the port since the last call.
pub(crate) fn has_opened() -> bool {
    with_opening(Opening::has_opened)
}

fn is_open() -> bool {
    with_opening(|opening, now| opening.is_open(now))
}

/// Calls `action` with the time in microseconds.
fn with_opening<T>(action: impl FnOnce(&mut Opening, u64) -> T) -> T {
    OPENING.lock(|opening| action(&mut opening.borrow_mut(), Instant::now().as_micros()))
}

/// Sends `bytes` to the host, if a terminal is there to read them.
pub(crate) fn write(bytes: &[u8]) {
    if !is_open() {
        return;
    }
    let mut rest = bytes;
    let start = Instant::now();
    while !rest.is_empty() {
        if let Ok(count) = SHOWN.try_write(rest) {
            IS_STALLED.store(false, Relaxed);
            rest = &rest[count..];
        } else if IS_STALLED.load(Relaxed) || start.elapsed() > TIME_LIMIT {
            IS_STALLED.store(true, Relaxed);
            return;
        }
    }
}

/// Runs the serial port.
#[embassy_executor::task]
pub(crate) async fn serve(usb: Peri<'static, USB>) {
    let driver = Driver::new(usb, Interrupts);
    static DESCRIPTORS: StaticCell<([u8; 256], [u8; 64], [u8; 64])> = StaticCell::new();
    static STATE: StaticCell<State<'static>> = StaticCell::new();
    let (descriptor, bos, control) = DESCRIPTORS.init(([0; 256], [0; 64], [0; 64]));
    let mut config = Config::new(VENDOR, PRODUCT);
    config.manufacturer = Some("Charcell");
    config.product = Some("Charcell console");
    let mut builder = Builder::new(driver, config, descriptor, bos, &mut [], control);
    let state = STATE.init(State::new());
    let class = CdcAcmClass::new(&mut builder, state, PACKET_BYTES as u16);
    let (sender, receiver, control) = class.split_with_control();
    join4(builder.build().run(), follow(control), send(sender), receive(receiver)).await;
}

/// Tracks DTR; a bus reset lowers it.
async fn follow(control: ControlChanged<'static>) {
    loop {
        with_opening(|opening, now| opening.set_dtr(control.dtr(), now));
        control.control_changed().await;
    }
}

async fn send(mut sender: Sender<'static, Driver<'static, USB>>) {
    // A packet of the maximum size would mean that another one follows.
    let mut packet = [0; PACKET_BYTES - 1];
    loop {
        sender.wait_connection().await;
        let count = SHOWN.read(&mut packet).await;
        // Don't show output for a terminal that was closed to the next one.
        if is_open() {
            // If the connection is gone, the packet is lost, and the next connection is awaited.
            let _ = sender.write_packet(&packet[..count]).await;
        }
    }
}

async fn receive(mut receiver: Receiver<'static, Driver<'static, USB>>) {
    let mut packet = [0; PACKET_BYTES];
    loop {
        receiver.wait_connection().await;
        while let Ok(count) = receiver.read_packet(&mut packet).await {
            // Input before a terminal is ready wasn't typed.
            if is_open() {
                packet[..count].iter().copied().for_each(charcell_support::receive);
            }
        }
    }
}
