//! Embedding an artifact in a program, aligned.

/// A value aligned to 16 bytes; made by [`include_model!`](crate::include_model).
#[derive(Debug, Clone, Copy)]
#[repr(C, align(16))]
pub struct Aligned<T: ?Sized>(pub T);

/// Embeds the artifact at a path as `&'static [u8]` in read-only memory (flash on a
/// microcontroller), aligned as required by [`Model::load`](crate::Model::load).
///
/// The path works as in [`include_bytes!`]: relative to the source file, or absolute, and it may
/// come from `env!`.
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
