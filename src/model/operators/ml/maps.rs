//! The operators on maps, known so that their refusal says what to do instead.

use burn_backend::Backend;

use super::{
    super::super::{DType, plan::Kernel},
    Operator, Refusal, Spec,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    matches!(name, "ZipMap" | "DictVectorizer" | "CastMap").then_some(Operator { types, kernel })
}

fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    Err(refusal(spec))
}

fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    Err(refusal(spec))
}

/// A ZipMap that gives an output was removed before.
fn refusal(spec: &Spec<'_>) -> Refusal {
    Refusal::unsupported(match spec.op().name.as_str() {
        "ZipMap" => "maps in the midst of a graph; export with `zipmap=False`",
        _ => "it reads a map; give it a tensor with a column a key",
    })
}
