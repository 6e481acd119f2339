//! The checksum of texts, reports, parameters and checkpoints.

use crc::{CRC_32_ISO_HDLC, Crc, Table};

/// CRC-32 as in ZIP and PNG. Uses tables of 16 KB for speed, because texts and checkpoints can have
/// hundreds of megabytes.
pub(crate) const CRC_32: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
