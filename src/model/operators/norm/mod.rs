//! Normalisations: elements in proportion to the mean and the spread of those around them. Statistics are summed in 64
//! bits, as those of a reduction.

mod batch;
mod groups;
mod layer;
mod lines;
mod local;
mod root;

use burn_backend::Backend;

use super::{
    super::DType,
    Operator, Refusal, Spec,
    float::{Float, shared_types},
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "BatchNormalization" => Operator { types: batch::types, kernel: batch::batch },
        "LayerNormalization" => Operator { types: layer::types, kernel: layer::layer },
        "RMSNormalization" => Operator { types: root::types, kernel: root::root },
        "InstanceNormalization" | "GroupNormalization" => {
            Operator { types: shared_types, kernel: groups::groups }
        }
        "LpNormalization" => Operator { types: shared_types, kernel: lines::norm },
        "MeanVarianceNormalization" => Operator { types: shared_types, kernel: lines::standard },
        "LRN" => Operator { types: shared_types, kernel: local::local },
        _ => return None,
    })
}

/// Refuses a precision of the first stage that the engine does not have. It computes with 32 bits at least.
fn check_stash(spec: &Spec<'_>) -> Result<(), Refusal> {
    match spec.int("stash_type", 1)? {
        1 | 10 => Ok(()),
        other => Err(Refusal::unsupported(format!("a `stash_type` of {other}"))),
    }
}

/// Whether it is given 16-bit floats and nothing else.
fn is_half(spec: &Spec<'_>) -> bool {
    (0..spec.inputs()).all(|input| !spec.has(input) || spec.dtype(input) == Ok(DType::F16))
}

/// How many sums are added to at a time.
const LANES: usize = 8;

/// The sum of what `of` makes of each element.
fn sum<T: Float>(data: &[T], of: impl Fn(f64) -> f64) -> f64 {
    let (chunks, rest) = data.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        for (sum, &value) in sums.iter_mut().zip(chunk) {
            *sum += of(value.into());
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|&value| of(value.into())).sum::<f64>()
}

/// The mean of a row, and the reciprocal of its deviation.
fn moments<T: Float>(row: &[T], epsilon: f64) -> (f64, f64) {
    let count = row.len() as f64;
    let mean = sum(row, |value| value) / count;
    let variance = sum(row, |value| (value - mean) * (value - mean)) / count;
    (mean, (variance + epsilon).sqrt().recip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_more_than_the_lanes_and_a_large_mean() {
        let row: Vec<f32> = (0..19).map(|index| 1e6 + index as f32).collect();
        let (mean, inverse) = moments(&row, 0.0);
        assert_eq!(mean, 1e6 + 9.0);
        assert_eq!(inverse, 30.0_f64.sqrt().recip());
    }
}
