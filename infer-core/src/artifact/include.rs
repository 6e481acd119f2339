//! Embedding an artifact in a program, aligned.

/// A value placed at a multiple of 16 bytes; made by [`include_model!`](crate::include_model).
#[derive(Debug, Clone, Copy)]
#[repr(C, align(16))]
pub struct Aligned<T: ?Sized>(pub T);

/// Embeds the artifact at a path as `&'static [u8]`, aligned as [`Model::load`](crate::Model::load)
/// needs it, in read-only memory (flash on a microcontroller).
///
/// The path is that of [`include_bytes!`]: relative to the file, or absolute, and it may come
/// from `env!`.
///
/// ```
/// static MODEL: &[u8] = infer_core::include_model!("../../tests/models/tiny-int8.postcard");
/// let model = infer_core::Model::<infer_core::Int8>::load(MODEL)?;
/// # Ok::<(), infer_core::LoadError>(())
/// ```
#[macro_export]
macro_rules! include_model {
    ($path:expr $(,)?) => {{
        static ALIGNED: &$crate::artifact::Aligned<[u8]> =
            &$crate::artifact::Aligned(*::core::include_bytes!($path));
        &ALIGNED.0
    }};
}
