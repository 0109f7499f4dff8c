//! MurmurHash3 of ONNX Runtime: a number of 32 bits for each element. scikit-learn's FeatureHasher becomes it.

use burn_backend::Backend;

use super::{
    super::super::{DType, Data, Tensor, plan::Kernel, tensor::each_number},
    Operator, Refusal, Spec,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    (name == "MurmurHash3").then_some(Operator { types, kernel })
}

/// Whether the hashes are given as unsigned numbers.
fn positive(spec: &Spec<'_>) -> Result<bool, Refusal> {
    spec.flag("positive", true)
}

fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        DType::Str | DType::I32 | DType::U32 | DType::I64 | DType::U64 | DType::F32 | DType::F64 => {
            Ok(vec![if positive(spec)? { DType::U32 } else { DType::I32 }])
        }
        dtype => Err(Refusal::invalid(format!("it does not hash {dtype}"))),
    }
}

fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let positive = positive(spec)?;
    let seed = spec.int("seed", 0)?;
    let seed = u32::try_from(seed).map_err(|_| Refusal::invalid(format!("seed {seed} has not 32 bits")))?;
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let hashes: Vec<u32> = each_number!(
            view,
            data => data.iter().map(|value| murmur3(&value.to_le_bytes(), seed)).collect(),
            other => match other {
                TensorView::Str { data, .. } => data.iter().map(|text| murmur3(text.as_bytes(), seed)).collect(),
                other => return Err(format!("it does not hash {}", other.dtype())),
            }
        );
        let data = match positive {
            true => Data::U32(hashes),
            false => Data::I32(hashes.into_iter().map(u32::cast_signed).collect()),
        };
        Ok(Tensor::new(view.shape(), data))
    }))
}

/// The variant of 32 bits, by Austin Appleby.
fn murmur3(bytes: &[u8], seed: u32) -> u32 {
    let scrambled = |block: [u8; 4]| {
        u32::from_le_bytes(block).wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
    };
    let (blocks, tail) = bytes.as_chunks::<4>();
    let mut hash = seed;
    for block in blocks {
        hash = (hash ^ scrambled(*block)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let mut last = [0; 4];
    last[..tail.len()].copy_from_slice(tail);
    hash ^= scrambled(last) ^ bytes.len() as u32;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_reference() {
        assert_eq!(murmur3(b"", 0), 0);
        assert_eq!(murmur3(b"", 1), 0x514e_28b7);
        assert_eq!(murmur3(b"test", 0x9747_b28c), 0x704b_81dc);
        assert_eq!(murmur3(b"Hello, world!", 0x9747_b28c), 0x2488_4cba);
    }
}
