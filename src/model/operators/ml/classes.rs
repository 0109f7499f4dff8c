//! A classifier's classes.

use super::{
    super::super::{DType, Data, Labels, Tensor},
    Refusal, Spec,
};

/// The classes that a classifier names, as the attributes of either kind.
pub(super) fn classes(spec: &Spec<'_>, ints: &str) -> Result<Labels, Refusal> {
    match (spec.ints(ints)?, spec.texts("classlabels_strings")?) {
        (_, Some(strings)) if !strings.is_empty() => Ok(Labels::Strings(strings.to_vec())),
        (Some(ints), _) if !ints.is_empty() => Ok(Labels::Ints(ints.to_vec())),
        _ => Err(Refusal::invalid("it names no classes")),
    }
}

impl Labels {
    /// The type of the labels.
    pub(in crate::model) fn dtype(&self) -> DType {
        match self {
            Labels::Ints(_) => DType::I64,
            Labels::Strings(_) => DType::Str,
        }
    }

    /// The labels of the classes of that many rows.
    pub(super) fn of(&self, classes: &[usize]) -> Tensor {
        let data = match self {
            Labels::Ints(labels) => Data::I64(classes.iter().map(|&class| labels[class]).collect()),
            Labels::Strings(labels) => {
                Data::Str(classes.iter().map(|&class| labels[class].clone()).collect())
            }
        };
        Tensor { shape: vec![classes.len()], data }
    }
}

/// The first of the greatest scores.
pub(super) fn greatest(scores: &[f32]) -> usize {
    let mut best = 0;
    for (index, score) in scores.iter().enumerate().skip(1) {
        if *score > scores[best] {
            best = index;
        }
    }
    best
}
