//! Rows to measure a model with: its golden samples', over and over.

use super::local::Local;
use crate::{
    model::{
        Data, Dim, Limits, Port, Tensor,
        golden::{Sample, sample_dirs},
    },
    scoring::{self, Signature},
    types::{Error, Result},
};

/// `rows` rows for each input; zeros where there are no samples.
pub(super) fn repeated(local: &Local, rows: usize, limits: &Limits) -> Result<Vec<Tensor>> {
    let Some(dir) = sample_dirs(&local.folder)?.into_iter().next() else { return zeros(local, rows, limits) };
    let sample = Sample::read(&dir, &local.model, limits)?;
    sample.inputs.iter().map(|tensor| repeat(tensor, rows)).collect()
}

fn zeros(local: &Local, rows: usize, limits: &Limits) -> Result<Vec<Tensor>> {
    let declared = local.model.inputs().iter().map(|port| declared_zeros(port, rows, limits));
    if let Some(tensors) = declared.collect() {
        return Ok(tensors);
    }
    let signature = Signature::of(&local.model, local.manifest.as_ref())?;
    let inputs = local.model.inputs().iter().zip(&signature.inputs);
    Ok(inputs.map(|(port, input)| scoring::zeros(port, input, rows)).collect())
}

/// Zeros in the shape that an input declares; none where it leaves more open than the number of rows.
fn declared_zeros(port: &Port, rows: usize, limits: &Limits) -> Option<Tensor> {
    let sizes = port.shape.get(1..)?.iter();
    let sizes = sizes.map(|dim| if let Dim::Fixed(size) = dim { Some(*size) } else { None });
    let shape: Vec<usize> = std::iter::once(Some(rows)).chain(sizes).collect::<Option<_>>()?;
    let count = shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size))?;
    (count <= limits.elements).then(|| Tensor { shape, data: Data::zeros(port.dtype, count) })
}

fn repeat(tensor: &Tensor, rows: usize) -> Result<Tensor> {
    let width: usize = tensor.shape.iter().skip(1).product();
    if tensor.shape.is_empty() || tensor.data.is_empty() {
        return Err(
            Error::invalid("the golden sample has no rows").hint("a batch is a tensor's first dimension")
        );
    }
    let data = tensor.data.cycled(rows * width);
    let mut shape = tensor.shape.clone();
    shape[0] = rows;
    Ok(Tensor { shape, data })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_repeated_row_by_row() {
        let sample = Tensor::f32([2, 2], vec![1.0, 2.0, 3.0, 4.0]);
        assert_eq!(repeat(&sample, 3), Ok(Tensor::f32([3, 2], vec![1.0, 2.0, 3.0, 4.0, 1.0, 2.0])));
        assert_eq!(repeat(&sample, 1), Ok(Tensor::f32([1, 2], vec![1.0, 2.0])));
        assert!(repeat(&Tensor::f32([0, 2], vec![]), 1).is_err());
    }
}
