//! The time.

use esp_hal::time::Instant;

/// Microseconds since the chip started.
pub(crate) fn microseconds() -> u64 {
    Instant::now().duration_since_epoch().as_micros()
}
