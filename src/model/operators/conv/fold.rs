//! Columns of blocks, added up to the image that they were cut from.

use burn_backend::Backend;

use super::super::{
    super::{
        DType, Tensor,
        plan::Kernel,
        tensor::{Element, each_number},
    },
    Refusal, Spec,
    broadcast::elements,
    number::Number,
    select::sizes,
    sliding::{Axes, Sliding, each_element, scatter, volume},
};

/// Input 0 holds numbers, the others shapes.
pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        dtype @ (DType::F16 | DType::Bool | DType::Str) => {
            Err(Refusal::unsupported(format!("blocks of {dtype}")))
        }
        dtype => Ok(vec![dtype]),
    }
}

pub(super) fn fold<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let sliding = Sliding::new(spec)?;
    let (limit, rank) = (spec.limits().elements, spec.limits().rank);
    Ok(Kernel::host(move |args| {
        let (image, block) = (sizes(args.i64(1)?, rank)?, sizes(args.i64(2)?, rank)?);
        let view = args.view(0)?;
        let misfit = || format!("blocks {block:?} of shape {:?} do not make up {image:?}", view.shape());
        elements(&image, limit)?;
        let axes = sliding.over(&image, &block)?;
        let count = volume(&axes, |axis| axis.out);
        let size = volume(&axes, |axis| axis.kernel);
        let &[batch, width, columns] = view.shape() else { return Err(misfit()) };
        if columns != count || !width.is_multiple_of(size) {
            return Err(misfit());
        }
        let shape = [&[batch, width / size], &image[..]].concat();
        elements(&shape, limit)?;
        let data = each_number!(view, data => Element::data(folded(data, &axes, &shape)), other => {
            return Err(format!("it does not add up {}", other.dtype()));
        });
        Ok(Tensor { shape, data })
    }))
}

fn folded<T: Number>(data: &[T], axes: &Axes, shape: &[usize]) -> Vec<T> {
    let [size, kernel, out] =
        [volume(axes, |axis| axis.size), volume(axes, |axis| axis.kernel), volume(axes, |axis| axis.out)];
    let mut images = vec![T::of_f64(0.0); shape.iter().product()];
    for (image, columns) in images.chunks_exact_mut(size).zip(data.chunks_exact(kernel * out)) {
        each_element(axes, |element| {
            let flat = element.iter().zip(axes).fold(0, |flat, (at, axis)| flat * axis.kernel + at);
            let column = &columns[flat * out..][..out];
            scatter(axes, element, column, image, &|sum: &mut T, value: T| *sum = sum.add(value));
        });
    }
    images
}
