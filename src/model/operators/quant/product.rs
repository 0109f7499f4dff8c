//! Products of matrices of bytes.

use burn_backend::Backend;

use super::{
    super::{
        super::{
            Data, Tensor, TensorView,
            plan::{Kernel, Reason},
        },
        Refusal, Spec,
        broadcast::{Dims, broadcast, elements, strides, walk, zip},
        linear::{Factors, outer},
    },
    centred::{centred, requantized},
};

pub(super) fn matmul<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let zero = |index| if args.has(index) { args.view(index).map(Some) } else { Ok(None) };
        let (shape, sums) = product(args.view(0)?, zero(2)?, args.view(1)?, zero(3)?, limit)?;
        Ok(Tensor { shape, data: Data::I32(sums) })
    }))
}

pub(super) fn quantized_matmul<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let (left, right) = ((args.view(0)?, args.view(2)?), (args.view(3)?, args.view(5)?));
        let (shape, sums) = product(left.0, Some(left.1), right.0, Some(right.1), limit)?;
        let (of_left, of_right) = (of_rows(&args.shape(1)?), args.shape(4)?);
        let wide = broadcast(&of_left, &of_right)?;
        let (left, right) = ((&of_left[..], args.elements::<f32>(1)?), (&of_right[..], args.elements(4)?));
        elements(&wide, limit)?;
        let scales = zip(left, right, &wide, |left, right| left * right);
        requantized(args, shape, &sums, (&wide, scales))
    }))
}

/// The shape of a parameter for each row, so that it is stretched along the rows.
fn of_rows(shape: &[usize]) -> Dims {
    match *shape {
        [rows] if rows != 1 => Dims::from_slice(&[rows, 1]),
        _ => Dims::from_slice(shape),
    }
}

/// Sums that wrap at 32 bits.
fn product(
    left: TensorView<'_>,
    zero_left: Option<TensorView<'_>>,
    right: TensorView<'_>,
    zero_right: Option<TensorView<'_>>,
    limit: usize,
) -> Result<(Vec<usize>, Vec<i32>), Reason> {
    let factors = Factors::new(left.shape(), right.shape())?;
    let shape = factors.product();
    let count = elements(&shape, limit)?;
    let zeros = (zero_left.map(|zero| of_rows(zero.shape())), zero_right.map(|zero| zero.shape()));
    let lefts = centred(left, zero_left, zeros.0.as_deref().unwrap_or_default())?;
    let rights = centred(right, zero_right, zeros.1.unwrap_or_default())?;
    let (rows, inner, columns) = (factors.rows.unwrap_or(1), factors.inner, factors.columns.unwrap_or(1));
    let mut sums = Vec::with_capacity(count);
    let steps = [outer(left.shape()), outer(right.shape())].map(|shape| strides(shape, &factors.batch));
    walk(&factors.batch, [&steps[0], &steps[1]], |[left, right]| {
        let left = &lefts[left * rows * inner..][..rows * inner];
        let right = &rights[right * inner * columns..][..inner * columns];
        for row in 0..rows {
            let start = sums.len();
            sums.resize(start + columns, 0);
            let pairs = left[row * inner..][..inner].iter().zip(right.chunks_exact(columns.max(1)));
            for (&value, weights) in pairs {
                add(&mut sums[start..], value, weights);
            }
        }
    });
    Ok((shape, sums))
}

fn add(sums: &mut [i32], value: i32, weights: &[i32]) {
    for (sum, &weight) in sums.iter_mut().zip(weights) {
        *sum = sum.wrapping_add(value.wrapping_mul(weight));
    }
}
