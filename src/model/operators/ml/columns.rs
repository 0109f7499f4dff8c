//! Operators that choose and join columns.

use burn_backend::Backend;

use super::{
    super::super::{
        DType, Tensor,
        plan::Kernel,
        tensor::{Element, each_view},
    },
    Operator, Refusal, Spec, axis, cast, matrix, pick,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "ArrayFeatureExtractor" => Operator { types: extractor_types, kernel: extractor },
        "FeatureVectorizer" => Operator { types: vectorizer_types, kernel: vectorizer },
        _ => return None,
    })
}

fn extractor_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(1)? {
        DType::I64 => Ok(vec![spec.dtype(0)?]),
        dtype => Err(Refusal::invalid(format!("its indices are {dtype}"))),
    }
}

/// Picks along the last axis. A vector gives one row.
fn extractor<B: Backend>(_: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    Ok(Kernel::host(|args| {
        let (view, indices) = (args.view(0)?, args.i64(1)?);
        let mut shape = view.shape().to_vec();
        let last = axis(-1, shape.len())?;
        let size = shape[last];
        let place = |&index: &i64| {
            let place = usize::try_from(index).ok().filter(|&place| place < size);
            place.ok_or_else(|| format!("index {index} is outside of {size}"))
        };
        let places = indices.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let around = (shape[..last].iter().product(), size, 1);
        let data = each_view!(view, data => Element::data(pick(data, around, &places)));
        shape[last] = places.len();
        if shape.len() == 1 {
            shape.insert(0, 1);
        }
        Ok(Tensor { shape, data })
    }))
}

fn vectorizer_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    for input in 0..spec.inputs() {
        if let dtype @ (DType::F16 | DType::Bool | DType::Str) = spec.dtype(input)? {
            return Err(Refusal::invalid(format!("it does not compute with {dtype}")));
        }
    }
    Ok(vec![DType::F32])
}

/// Joins columns; each input is cut or filled up with zeros to its declared width.
fn vectorizer<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let Some(widths) = spec.ints("inputdimensions")? else {
        return Err(Refusal::invalid("attribute `inputdimensions` is missing"));
    };
    let widths = widths.iter().map(|&width| usize::try_from(width)).collect::<Result<Vec<_>, _>>();
    let Some(widths) = widths.ok().filter(|widths| widths.len() == spec.inputs()) else {
        return Err(Refusal::invalid("attribute `inputdimensions` does not fit its inputs"));
    };
    let (total, limit) =
        (widths.iter().fold(0, |sum: usize, width| sum.saturating_add(*width)), spec.limits().elements);
    Ok(Kernel::host(move |args| {
        let (rows, _) = matrix(args.view(0)?.shape())?;
        super::super::broadcast::elements(&[rows, total], limit)?;
        let mut out = vec![0.0; rows * total];
        let mut start = 0;
        for (index, &width) in widths.iter().enumerate() {
            let view = args.view(index)?;
            let (other, columns) = matrix(view.shape())?;
            if other != rows {
                return Err(format!("input {index} has {other} rows, input 0 {rows}"));
            }
            let taken = width.min(columns);
            let values = cast::to_f32(view)?;
            for (row, values) in out.chunks_exact_mut(total.max(1)).zip(values.chunks_exact(columns.max(1))) {
                row[start..start + taken].copy_from_slice(&values[..taken]);
            }
            start += width;
        }
        Ok(Tensor::f32([rows, total], out))
    }))
}
