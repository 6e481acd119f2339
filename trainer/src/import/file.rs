//! Reads the tensors of a safetensors file, and checks that each has exactly the bytes that its
//! shape needs.
//!
//! The crate `safetensors` can read such files, but if two tensors have the same name it silently
//! uses the last, and it doesn't name a tensor whose shape doesn't match its bytes.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use safetensors::tensor::{Dtype, TensorInfo};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use crate::error::{FileError, TensorError};
use crate::listing;

/// Bytes of the header's length, at the start of a file.
const LENGTH_BYTES: usize = 8;

/// The header's entry about the whole file.
const METADATA: &str = "__metadata__";

/// The largest number that is accepted: a sum of a row of them, at most 2 · 1024 + 1, is finite in
/// f32.
const LARGEST: f64 = f32::MAX as f64 / 4096.0;

/// A tensor as stored in the file.
#[derive(Debug, Clone)]
pub(super) struct Tensor<'a> {
    /// Its name in the file.
    pub(super) name: String,
    /// Its sizes, outermost first.
    pub(super) shape: Vec<usize>,
    dtype: Dtype,
    /// Little-endian, row-major.
    data: &'a [u8],
}

/// The tensors of a file by name. Names that safetensors' `save_model` dropped, because another
/// tensor shares the same memory, are restored.
///
/// # Errors
/// [`FileError`] says what is wrong with the file, and with which tensor.
pub(super) fn tensors(bytes: &[u8]) -> Result<BTreeMap<String, Tensor<'_>>, FileError> {
    let (header, data) = split(bytes)?;
    let mut header: Header = serde_json::from_slice(header)?;
    header.tensors.sort_by_key(|(_, info)| info.data_offsets);
    let (mut tensors, mut end) = (BTreeMap::new(), 0);
    for (name, TensorInfo { dtype, shape, data_offsets: (from, to) }) in header.tensors {
        let tensor = || shown(&name);
        let needed = bytes_of(dtype, &shape);
        if from != end {
            return Err(FileError::Gap { tensor: tensor(), from, expected: end });
        }
        if to < from || needed != Some(to - from) {
            return Err(FileError::Size { tensor: tensor(), dtype, shape, needed, from, to });
        }
        let Some(data) = data.get(from..to) else {
            let bytes = data.len();
            return Err(FileError::CutShort { tensor: tensor(), bytes, needed: to });
        };
        end = to;
        tensors.insert(name.clone(), Tensor { name, shape, dtype, data });
    }
    if end != data.len() {
        return Err(FileError::Surplus { bytes: data.len() - end });
    }
    restore_names(&mut tensors, header.metadata);
    Ok(tensors)
}

/// The JSON header and the data after it.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), FileError> {
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
        return Err(FileError::TooShort { bytes: bytes.len() });
    };
    let length = u64::from_le_bytes(*length);
    let header = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    header.filter(|(header, _)| header.starts_with(b"{")).ok_or(FileError::NoHeader)
}

/// The bytes that a tensor needs; nothing if the number overflows or isn't whole.
fn bytes_of(dtype: Dtype, shape: &[usize]) -> Option<usize> {
    let count = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size))?;
    let bits = count.checked_mul(dtype.bitsize())?;
    bits.is_multiple_of(8).then_some(bits / 8)
}

/// Restores the names that `save_model` drops. Of several tensors that share memory it writes only
/// one, and records in the metadata, for the name of each other tensor, which one that is.
fn restore_names(tensors: &mut BTreeMap<String, Tensor<'_>>, metadata: BTreeMap<String, String>) {
    let kept = |(name, kept)| Some((name, tensors.get(&kept)?.clone()));
    let dropped: Vec<(String, Tensor<'_>)> = metadata.into_iter().filter_map(kept).collect();
    for (name, kept) in dropped {
        tensors.entry(name).or_insert(kept);
    }
}

/// The header of a file, before it is checked.
#[derive(Debug, Default)]
struct Header {
    metadata: BTreeMap<String, String>,
    tensors: Vec<(String, TensorInfo)>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with an entry for each tensor")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let (mut header, mut names) = (Header::default(), HashSet::new());
        while let Some(name) = map.next_key::<String>()? {
            let in_entry = |error| A::Error::custom(format!("{}: {error}", shown(&name)));
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format!("it has {} twice", shown(&name))));
            }
            if name == METADATA {
                let metadata: Option<_> = map.next_value().map_err(in_entry)?;
                header.metadata = metadata.unwrap_or_default();
            } else {
                let info = map.next_value().map_err(in_entry)?;
                header.tensors.push((name, info));
            }
        }
        Ok(header)
    }
}

impl Tensor<'_> {
    /// The numbers, row-major.
    ///
    /// # Errors
    /// Names the tensor and the first number that isn't finite or is too large.
    pub(super) fn values(&self) -> Result<Vec<f64>, TensorError> {
        let values: Vec<f64> = match self.dtype {
            Dtype::F64 => self.numbers(f64::from_le_bytes),
            Dtype::F32 => self.numbers(|bytes| f32::from_le_bytes(bytes).into()),
            Dtype::F16 => self.numbers(|bytes| half(u16::from_le_bytes(bytes))),
            Dtype::BF16 => self.numbers(|[low, high]| f32::from_le_bytes([0, 0, low, high]).into()),
            dtype => return Err(TensorError::Dtype { tensor: shown(&self.name), dtype }),
        };
        check(&shown(&self.name), &self.shape, &values)?;
        Ok(values)
    }

    fn numbers<const BYTES: usize>(&self, number: impl Fn([u8; BYTES]) -> f64) -> Vec<f64> {
        self.data.as_chunks().0.iter().map(|&bytes| number(bytes)).collect()
    }

    /// Whether both have the same numbers, type and shape.
    pub(super) fn equals(&self, other: &Self) -> bool {
        self.dtype == other.dtype && self.shape == other.shape && self.data == other.data
    }
}

/// The value of an IEEE 754 half: 5 bits of exponent, 10 bits of fraction.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let magnitude = match exponent {
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        0 => fraction * 2_f64.powi(-24),
        _ => (1024.0 + fraction) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 0 { magnitude } else { -magnitude }
}

/// Checks that f32 can compute with all `values` of `name`.
///
/// # Errors
/// Names the first value that isn't finite or is too large.
pub(super) fn check(name: &str, shape: &[usize], values: &[f64]) -> Result<(), TensorError> {
    let is_unfit = |value: &f64| value.is_nan() || value.abs() > LARGEST;
    let Some(at) = values.iter().position(is_unfit) else { return Ok(()) };
    let mut rest = at;
    let mut index: Vec<usize> = Vec::with_capacity(shape.len());
    for &size in shape.iter().rev() {
        index.push(rest % size);
        rest /= size;
    }
    index.reverse();
    Err(TensorError::Number { tensor: name.into(), index, value: values[at] })
}

/// The first of some names, for an error message.
pub(super) fn some(names: impl Iterator<Item = String>) -> String {
    listing::some(names, 20)
}

/// A name as messages show it: in quotes if it could be mistaken for anything else.
pub(super) fn shown(name: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "._-/:".contains(character);
    if !name.is_empty() && name.chars().all(is_plain) { name.into() } else { format!("{name:?}") }
}
