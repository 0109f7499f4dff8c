//! What a graph's inputs and outputs declare: their types and shapes.

use super::{
    super::{Dim, Error, Limits, graph::Type},
    dtype, element_name,
    proto::{DimensionKind, TensorTypeProto, TypeKind, TypeProto, ValueInfoProto},
};

/// The type that a port declares.
pub(super) fn kind(proto: Option<&TypeProto>) -> Type {
    match proto.and_then(|proto| proto.kind.as_ref()) {
        Some(TypeKind::Tensor(TensorTypeProto { elem_type, .. })) => match dtype(*elem_type) {
            Some(dtype) => Type::Tensor(dtype),
            None => Type::Foreign(format!("a tensor of {}", element_name(*elem_type))),
        },
        Some(TypeKind::Sequence(_)) => Type::Foreign("a sequence".to_owned()),
        Some(TypeKind::Map(_)) => Type::Foreign("a map".to_owned()),
        Some(TypeKind::SparseTensor(_)) => Type::Foreign("a sparse tensor".to_owned()),
        Some(TypeKind::Optional(_)) => Type::Foreign("an optional".to_owned()),
        None => Type::Foreign("of no declared type".to_owned()),
    }
}

/// The shape that a port declares; of no dimensions where it declares none.
pub(super) fn shape(info: &ValueInfoProto, limits: &Limits) -> Result<Vec<Dim>, Error> {
    let Some(TypeProto { kind: Some(TypeKind::Tensor(TensorTypeProto { shape: Some(shape), .. })) }) =
        &info.r#type
    else {
        return Ok(Vec::new());
    };
    Error::limit(format!("`{}`: the number of dimensions", info.name), shape.dim.len(), limits.rank)?;
    let dim = |kind: &Option<DimensionKind>| match kind {
        Some(DimensionKind::Value(size)) => usize::try_from(*size).map_or(Dim::Unknown, Dim::Fixed),
        Some(DimensionKind::Param(name)) if !name.is_empty() => Dim::Named(name.clone()),
        _ => Dim::Unknown,
    };
    Ok(shape.dim.iter().map(|proto| dim(&proto.kind)).collect())
}
