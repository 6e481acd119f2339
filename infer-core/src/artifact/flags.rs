//! What a build of this crate can read.

/// The flag of artifacts whose precision is [`StoredPrecision::Compact`](super::StoredPrecision),
/// which builds of this crate without its feature `compact` refuse.
pub const COMPACT_FLAG: u16 = 1;

/// Whether this build reads compact artifacts.
pub(super) const IS_COMPACT: bool = cfg!(feature = "compact");
