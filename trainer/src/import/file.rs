//! The tensors of a safetensors file, each with the very bytes that its shape takes.
//!
//! The crate `safetensors` reads such files too, but it takes the last of two tensors of one name
//! without a word, and names no tensor whose shape doesn't fit its bytes.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use safetensors::tensor::{Dtype, TensorInfo};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use crate::error::{FileError, TensorError};
use crate::listing;

/// Bytes of the header's length, with which a file begins.
const LENGTH_BYTES: usize = 8;

/// What a header has about the whole file.
const METADATA: &str = "__metadata__";

/// The largest number that is taken: a sum of a row of them, at most 2 · 1024 + 1, is finite in
/// f32.
const LARGEST: f64 = f32::MAX as f64 / 4096.0;

/// A tensor as it lies in the file.
#[derive(Debug, Clone)]
pub(super) struct Tensor<'a> {
    /// What the file calls it.
    pub(super) name: String,
    /// Its sizes, outermost first.
    pub(super) shape: Vec<usize>,
    dtype: Dtype,
    /// Little-endian, row-major.
    data: &'a [u8],
}

/// The tensors of a file by their names. A name that safetensors' `save_model` has
/// dropped, as another tensor has the same memory, is given back.
///
/// # Errors
/// [`FileError`] says what is wrong with the file, and which tensor it is about.
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
    give_back_names(&mut tensors, header.metadata);
    Ok(tensors)
}

/// The header, in JSON, and the data after it.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), FileError> {
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
        return Err(FileError::TooShort { bytes: bytes.len() });
    };
    let length = u64::from_le_bytes(*length);
    let header = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    header.filter(|(header, _)| header.starts_with(b"{")).ok_or(FileError::NoHeader)
}

/// The bytes of a tensor, if they can be counted.
fn bytes_of(dtype: Dtype, shape: &[usize]) -> Option<usize> {
    let count = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size))?;
    let bits = count.checked_mul(dtype.bitsize())?;
    bits.is_multiple_of(8).then_some(bits / 8)
}

/// `save_model` writes one of several tensors that share their memory, and in the metadata, for
/// the name of each other, which one that is.
fn give_back_names(tensors: &mut BTreeMap<String, Tensor<'_>>, metadata: BTreeMap<String, String>) {
    let kept = |(name, kept)| Some((name, tensors.get(&kept)?.clone()));
    let dropped: Vec<(String, Tensor<'_>)> = metadata.into_iter().filter_map(kept).collect();
    for (name, kept) in dropped {
        tensors.entry(name).or_insert(kept);
    }
}

/// What a file says about its tensors, before anything of it is believed.
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
    /// Names the tensor, and the first number that isn't finite or is too large to compute with.
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

    /// Whether both are the same numbers in the same shape.
    pub(super) fn equals(&self, other: &Self) -> bool {
        self.dtype == other.dtype && self.shape == other.shape && self.data == other.data
    }
}

/// The value of 16 bits as IEEE 754 has them: 5 of exponent, 10 of fraction.
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

/// Makes sure that all `values` of `name` are numbers that f32 can compute with.
///
/// # Errors
/// Names the first that isn't.
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

/// The first of some names, for an error.
pub(super) fn some(names: impl Iterator<Item = String>) -> String {
    listing::some(names, 20)
}

/// A name as an error shows it: in quotes if it could be mistaken for anything else.
pub(super) fn shown(name: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "._-/:".contains(character);
    if !name.is_empty() && name.chars().all(is_plain) { name.into() } else { format!("{name:?}") }
}
