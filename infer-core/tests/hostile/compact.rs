//! What only compact artifacts have: their flag, embeddings, and the blocks that they keep.

use infer_core::artifact::{
    COMPACT_FLAG, Compaction, Header, Quantisation, StoredPrecision, Summary, Tensor, TensorName,
    tensors,
};
use infer_core::layout::MAX_EMBEDDING;
use infer_core::{F32, LoadError, Model, Normalisation};

use super::{
    ALL, F32_MODEL, NARROW, SPARSE, aligned, load, memory, mend_checksum, tensor, with_header,
};

/// The flag is set exactly if the header says that the model is compact.
#[test]
fn a_flag_that_contradicts_the_header_is_refused() {
    let mut memory = memory();
    for sound in ALL {
        let artifact = aligned(&mut memory, sound);
        artifact[6] ^= COMPACT_FLAG as u8;
        mend_checksum(artifact);
        assert_eq!(load(artifact).unwrap_err(), LoadError::Header);
        assert_eq!(Summary::read(artifact).unwrap_err(), LoadError::Header);
    }
    let artifact = aligned(&mut memory, F32_MODEL);
    artifact[6] = COMPACT_FLAG as u8;
    mend_checksum(artifact);
    assert_eq!(Model::<F32>::load(artifact).unwrap_err(), LoadError::Header);
    assert_eq!(Model::<F32>::load(SPARSE).unwrap_err(), LoadError::NotF32);
}

#[test]
fn an_embedding_too_wide_is_refused() {
    let quantisation = Quantisation { nats_per_logit_q32: 1, cell_fraction_bits: &[12] };
    let mut memory = memory();
    let mut error = |embedding| {
        let compaction = Compaction { is_int4: false, is_sparse: false, embedding };
        let header = Header {
            precision: StoredPrecision::Compact(quantisation, compaction),
            layers: 1,
            hidden: 4,
            normalisation: Normalisation::None,
            vocabulary: "abc",
            replacement: None,
            prefixes: heapless::Vec::new(),
        };
        let entry = Tensor { name: TensorName::WIh, layer: 0, offset: 48, bytes: 48 };
        load(aligned(&mut memory, &with_header(&header, &[entry], 256))).unwrap_err()
    };
    for embedding in [MAX_EMBEDDING as u16 + 1, u16::MAX] {
        assert_eq!(error(embedding), LoadError::Embedding { embedding });
    }
    let expected = LoadError::Tensor { name: TensorName::Embedding, layer: 0 };
    assert_eq!(error(MAX_EMBEDDING as u16), expected);
}

/// How many blocks a layer keeps is in the entry of its tensor of block numbers: it must agree with
/// that of its weights, and there can't be more than all.
#[test]
fn wrong_counts_of_blocks_are_refused() {
    let mut memory = memory();
    for sound in [SPARSE, NARROW] {
        let entries: Vec<Tensor> = tensors(sound).collect();
        let header = Summary::read(sound).unwrap().header;
        let is_changed = |entry: &Tensor| entry.name == TensorName::BlockColumns;
        let changed = entries.iter().position(is_changed).unwrap();
        let kept = entries[changed].bytes;
        for (bytes, name) in [
            // Rows of two blocks for ten units.
            (21, TensorName::BlockColumns),
            (u32::MAX - 15, TensorName::BlockColumns),
            (kept + 1, TensorName::WHh),
            (kept - 1, TensorName::WHh),
            (0, TensorName::WHh),
        ] {
            let mut entries = entries.clone();
            let shift = bytes.next_multiple_of(16).wrapping_sub(kept.next_multiple_of(16));
            entries[changed].bytes = bytes;
            for entry in &mut entries[changed + 1..] {
                entry.offset = entry.offset.wrapping_add(shift);
            }
            let artifact = with_header(&header, &entries, 4096);
            let error = load(aligned(&mut memory, &artifact)).unwrap_err();
            assert_eq!(error, LoadError::Tensor { name, layer: 0 }, "{bytes} instead of {kept}");
        }
    }
}

/// Kernels don't check the numbers of blocks: whatever is wrong with them is found at load.
#[test]
fn wrong_blocks_are_refused_by_layer() {
    let mut memory = memory();
    for (sound, layer) in [(SPARSE, 0), (SPARSE, 1), (NARROW, 0), (NARROW, 1)] {
        let [counts, columns] = [TensorName::BlockCounts, TensorName::BlockColumns]
            .map(|name| tensor(sound, name, layer));
        let [counts_at, columns_at] = [counts, columns].map(|tensor| tensor.offset as usize);
        let mut changed = |change: &dyn Fn(&mut [u8])| {
            let artifact = aligned(&mut memory, sound);
            change(artifact);
            mend_checksum(artifact);
            load(artifact).map(drop)
        };
        changed(&|_| ()).unwrap();
        let error = Err(LoadError::Blocks { layer });
        // The model has rows of two blocks, of which some units keep one and some none.
        let one = sound[counts_at..][..10].iter().position(|&count| count == 1).unwrap();
        assert_eq!(changed(&|artifact| artifact[counts_at + one] = 0), error);
        assert_eq!(changed(&|artifact| artifact[counts_at + one] = 255), error);
        let none = sound[counts_at..][..10].iter().position(|&count| count == 0).unwrap();
        assert_eq!(changed(&|artifact| artifact[counts_at + none] = 1), error);
        for number in [2, 3, 255] {
            assert_eq!(changed(&|artifact| artifact[columns_at] = number), error, "{number}");
        }
        // Two blocks of one unit: twice the same, or in descending order.
        let mut two = |numbers: [u8; 2]| {
            changed(&move |artifact: &mut [u8]| {
                let counts = &mut artifact[counts_at..][..10];
                let total: u8 = counts.iter().sum();
                counts.fill(0);
                counts[0] = 2;
                // The others have one each, of block 0.
                counts[1..usize::from(total) - 1].fill(1);
                let columns = &mut artifact[columns_at..][..usize::from(total)];
                columns.fill(0);
                columns[..2].copy_from_slice(&numbers);
            })
        };
        two([0, 1]).unwrap();
        assert_eq!(two([0, 0]), error);
        assert_eq!(two([1, 0]), error);
        assert_eq!(two([1, 1]), error);
    }
}
