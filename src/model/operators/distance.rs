//! CDist of ONNX Runtime: how far each row of one matrix is from each row of another. Neighbours are found by it.

use burn_backend::Backend;

use super::{
    super::{DType, Data, Tensor, TensorView, plan::Kernel},
    Operator, Refusal, Spec,
    broadcast::elements,
    number::Number,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    (name == "CDist").then_some(Operator { types, kernel })
}

fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match (spec.dtype(0)?, spec.dtype(1)?) {
        (left, right) if left == right && left.is_float() => Ok(vec![left]),
        (left, right) => Err(Refusal::invalid(format!("it does not measure between {left} and {right}"))),
    }
}

fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let root = match spec.text("metric", "sqeuclidean")? {
        "sqeuclidean" => false,
        "euclidean" => true,
        other => return Err(Refusal::unsupported(format!("metric `{other}`"))),
    };
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let (left, right) = (args.view(0)?, args.view(1)?);
        let (&[rows, columns], &[others, width]) = (left.shape(), right.shape()) else {
            return Err(format!(
                "shapes {:?} and {:?} are not those of matrices",
                left.shape(),
                right.shape()
            ));
        };
        if columns != width {
            return Err(format!("rows of {columns} and of {width} columns have no distance"));
        }
        elements(&[rows, others], limit)?;
        let data = match (left, right) {
            (TensorView::F32 { data: left, .. }, TensorView::F32 { data: right, .. }) => {
                Data::F32(distances(left, right, [rows, others, columns], root))
            }
            (TensorView::F64 { data: left, .. }, TensorView::F64 { data: right, .. }) => {
                Data::F64(distances(left, right, [rows, others, columns], root))
            }
            _ => return Err("its inputs are of different types".to_owned()),
        };
        Ok(Tensor { shape: vec![rows, others], data })
    }))
}

/// Differences are squared and summed in 64 bits: a row is no distance from itself.
fn distances<T: Number>(left: &[T], right: &[T], [rows, others, columns]: [usize; 3], root: bool) -> Vec<T> {
    let mut out = Vec::with_capacity(rows * others);
    for row in 0..rows {
        let row = &left[row * columns..][..columns];
        for other in 0..others {
            let other = &right[other * columns..][..columns];
            let square = |(a, b): (&T, &T)| (a.to_f64() - b.to_f64()).powi(2);
            let sum: f64 = row.iter().zip(other).map(square).sum();
            out.push(T::of_f64(if root { sum.sqrt() } else { sum }));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_between_rows() {
        let (left, right) = ([0.0_f32, 0.0, 3.0, 4.0], [3.0, 4.0]);
        assert_eq!(distances(&left, &right, [2, 1, 2], true), [5.0, 0.0]);
        assert_eq!(distances(&left, &right, [2, 1, 2], false), [25.0, 0.0]);
        assert_eq!(distances::<f32>(&[], &[], [2, 1, 0], true), [0.0, 0.0]);
    }
}
