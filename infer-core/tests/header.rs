//! The reader of headers compared with the crate `postcard`, which writes them: both accept the
//! same messages and decode them to the same values.

use std::fmt::Debug;

use infer_core::Normalisation;
use infer_core::artifact::{
    Compaction, Header, MAX_PREFIXES, Quantisation, StoredPrecision, Tensor, TensorName,
};
use infer_core::layout::MAX_LAYERS;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Strategy, any};
use proptest::sample::Index;
use proptest::{prop_assert, prop_assert_eq, proptest};
use serde::{Deserialize, Serialize};

const TENSOR_NAMES: [TensorName; 9] = [
    TensorName::WIh,
    TensorName::WHh,
    TensorName::GateConstants,
    TensorName::WOut,
    TensorName::BOut,
    TensorName::Embedding,
    TensorName::BlockCounts,
    TensorName::BlockColumns,
    TensorName::OutputMultipliers,
];

/// The numbers of a precision with integers, or `None` for f32.
type Integers = Option<(u32, Vec<u8>, Option<(bool, bool, u16)>)>;

fn precisions() -> impl Strategy<Value = Integers> {
    option::of((any::<u32>(), vec(any::<u8>(), 0..=MAX_LAYERS), any::<Option<(bool, bool, u16)>>()))
}

fn precision(integers: &Integers) -> StoredPrecision<'_> {
    let Some((nats_per_logit_q32, cell_fraction_bits, compaction)) = integers else {
        return StoredPrecision::F32;
    };
    let nats_per_logit_q32 = *nats_per_logit_q32;
    let quantisation = Quantisation { nats_per_logit_q32, cell_fraction_bits };
    match *compaction {
        None => StoredPrecision::Int8(quantisation),
        Some((is_int4, is_sparse, embedding)) => {
            StoredPrecision::Compact(quantisation, Compaction { is_int4, is_sparse, embedding })
        }
    }
}

/// Postcard messages of headers, each followed by some bytes.
fn headers() -> impl Strategy<Value = Vec<u8>> {
    let numbers = (any::<u8>(), any::<u16>(), any::<bool>(), any::<Option<u16>>());
    let prefixes = vec(any::<String>(), 0..=MAX_PREFIXES);
    (precisions(), numbers, any::<String>(), prefixes, vec(any::<u8>(), 0..9)).prop_map(
        |(integers, (layers, hidden, is_lower_case, replacement), vocabulary, prefixes, rest)| {
            let normalisation =
                if is_lower_case { Normalisation::LowerCase } else { Normalisation::None };
            let header = Header {
                precision: precision(&integers),
                layers,
                hidden,
                normalisation,
                vocabulary: &vocabulary,
                replacement,
                prefixes: prefixes.iter().map(String::as_str).collect(),
            };
            [postcard::to_stdvec(&header).unwrap(), rest].concat()
        },
    )
}

/// Postcard messages of entries.
fn entries() -> impl Strategy<Value = Vec<u8>> {
    let names = proptest::sample::select(&TENSOR_NAMES[..]);
    (names, any::<(u8, u32, u32)>()).prop_map(|(name, (layer, offset, bytes))| {
        postcard::to_stdvec(&Tensor { name, layer, offset, bytes }).unwrap()
    })
}

/// `message` with some bytes replaced and the end cut off.
fn damaged(mut message: Vec<u8>, changes: &[(Index, u8)], end: Option<Index>) -> Vec<u8> {
    for (index, byte) in changes {
        let index = index.index(message.len());
        message[index] = *byte;
    }
    message.truncate(end.map_or(message.len(), |end| end.index(message.len())));
    message
}

/// Whether both readers decode `message` in the same way, if a writer could have written it.
fn agree<'m, T>(message: &'m [u8], ours: Option<(T, &'m [u8])>) -> bool
where
    T: Debug + PartialEq + Serialize + Deserialize<'m>,
{
    let theirs = postcard::take_from_bytes::<T>(message).ok();
    // Only `postcard` accepts a length with more bytes than a number below 2³² needs.
    let is_written = theirs.as_ref().is_some_and(|(value, rest)| {
        postcard::to_stdvec(value).unwrap().len() + rest.len() == message.len()
    });
    ours == theirs || (ours.is_none() && !is_written)
}

proptest! {
    #[test]
    fn what_is_written_is_read(header in headers(), entry in entries()) {
        prop_assert!(Header::decode(&header).is_some());
        prop_assert!(agree(&header, Header::decode(&header)));
        prop_assert_eq!(Tensor::decode(&entry), postcard::take_from_bytes(&entry).ok());
        prop_assert!(Tensor::decode(&entry).is_some());
    }

    #[test]
    fn damage_is_read_in_the_same_way(
        header in headers(),
        entry in entries(),
        changes in vec(any::<(Index, u8)>(), 0..4),
        end in any::<Option<Index>>(),
    ) {
        let header = damaged(header, &changes, end);
        prop_assert!(agree(&header, Header::decode(&header)));
        let entry = damaged(entry, &changes, end);
        prop_assert!(agree(&entry, Tensor::decode(&entry)));
    }

    #[test]
    fn noise_is_read_in_the_same_way(noise in vec(any::<u8>(), 0..40)) {
        prop_assert!(agree(&noise, Header::decode(&noise)));
        prop_assert!(agree(&noise, Tensor::decode(&noise)));
    }
}
