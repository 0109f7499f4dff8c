//! Hardmax: one where the largest element along an axis is, zero elsewhere.

use burn_backend::Backend;

use super::{
    super::{DType, Data, Tensor, TensorView, plan::Kernel},
    Operator, Refusal, Spec, axis,
    number::Number,
    pick::around,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    (name == "Hardmax").then_some(Operator { types, kernel })
}

fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        dtype if dtype.is_float() => Ok(vec![dtype]),
        dtype => Err(Refusal::invalid(format!("it does not compute with {dtype}"))),
    }
}

fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    // Before version 13 all dimensions from the axis on were taken together.
    let together = spec.version() < 13;
    let at = spec.int("axis", if together { 1 } else { -1 })?;
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let shape = view.shape();
        let layout = match together {
            true => {
                let at = if at == shape.len() as i64 { shape.len() } else { axis(at, shape.len())? };
                (shape[..at].iter().product(), shape[at..].iter().product(), 1)
            }
            false => around(shape, axis(at, shape.len())?),
        };
        match view {
            TensorView::F32 { data, .. } => Ok(Tensor::f32(shape, marked(data, layout))),
            TensorView::F64 { data, .. } => Ok(Tensor::new(shape, Data::F64(marked(data, layout)))),
            other => Err(format!("it does not compute with {}", other.dtype())),
        }
    }))
}

/// Marks the first of the largest.
fn marked<T: Number>(data: &[T], (before, along, after): (usize, usize, usize)) -> Vec<T> {
    let mut out = vec![T::of_f64(0.0); data.len()];
    for block in 0..before {
        for offset in 0..after {
            let place = |index: usize| (block * along + index) * after + offset;
            let larger =
                |best: usize, index: usize| if data[place(index)] > data[place(best)] { index } else { best };
            if let Some(best) = (0..along).reduce(larger) {
                out[place(best)] = T::of_f64(1.0);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_largest_is_marked() {
        assert_eq!(marked(&[1.0, 3.0, 3.0, 2.0], (1, 4, 1)), [0.0, 1.0, 0.0, 0.0]);
        assert_eq!(marked(&[1.0, 3.0, 2.0, 2.0], (1, 2, 2)), [0.0, 1.0, 1.0, 0.0]);
    }
}
