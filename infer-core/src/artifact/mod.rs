//! The file `model.postcard`: a prelude, a header in postcard, and raw tensors read in place.
//!
//! It is specified in `docs/artifact-format.md` in the repository. This module is shared by the
//! reader in this crate and the writer in the trainer.

pub(crate) mod dimensions;
mod error;
mod flags;
mod format;
mod header;
mod include;
mod message;
mod prelude;
mod reader;

pub use error::LoadError;
pub use flags::COMPACT_FLAG;
pub(crate) use format::{ElementBytes, Format, kept_blocks};
pub(crate) use header::Fields;
pub use header::{
    Compaction, Header, MAX_PREFIXES, Quantisation, StoredPrecision, Tensor, TensorName,
};
pub use include::Aligned;
pub use prelude::{MAGIC, PRELUDE_BYTES, Prelude, VERSION, checksum};
pub(crate) use reader::{Contents, Granule, Tensors, granules, open, verify};
pub use reader::{Summary, tensors};
