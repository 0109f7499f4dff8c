//! What a value is while a plan runs: borrowed from the caller, owned in host memory, or held by the backend.

use burn_backend::{Backend, DType as BurnType, Shape, TensorData, TensorMetadata, read_sync};

use super::super::{DType, Data, Tensor, TensorView};

/// A value, or the place of one that is not computed yet or no longer needed.
pub(in crate::model) enum Slot<'a, B: Backend> {
    Empty,
    /// An input of the run.
    Borrowed(TensorView<'a>),
    Host(Tensor),
    Float(B::FloatTensorPrimitive),
}

/// What an operator gives.
pub(in crate::model) enum Given<B: Backend> {
    Host(Tensor),
    Float(B::FloatTensorPrimitive),
}

impl<B: Backend> From<Tensor> for Given<B> {
    fn from(tensor: Tensor) -> Self {
        Given::Host(tensor)
    }
}

impl<B: Backend> From<Given<B>> for Slot<'_, B> {
    fn from(given: Given<B>) -> Self {
        match given {
            Given::Host(tensor) => Slot::Host(tensor),
            Given::Float(tensor) => Slot::Float(tensor),
        }
    }
}

/// The reason why an operator failed.
pub(in crate::model) type Reason = String;

/// Hands floats to the backend; a `Vec` is moved, not copied. A scalar becomes a tensor of one dimension: some backends
/// have none of fewer.
pub(in crate::model) fn upload<B: Backend>(
    tensor: Tensor,
    device: &B::Device,
) -> Result<B::FloatTensorPrimitive, Reason> {
    let shape = if tensor.shape.is_empty() { Shape::new([1]) } else { Shape::from(tensor.shape) };
    let data = match tensor.data {
        Data::F32(data) => TensorData::new(data, shape),
        Data::F64(data) => TensorData::new(data, shape),
        other => return Err(format!("{} where floats are needed", other.dtype())),
    };
    Ok(B::float_from_data(data, device))
}

/// Takes floats back from the backend, once it has computed them.
pub(in crate::model) fn download<B: Backend>(tensor: B::FloatTensorPrimitive) -> Result<Tensor, Reason> {
    let data = read_sync(B::float_into_data(tensor)).map_err(|error| error.to_string())?;
    let shape = data.shape().to_vec();
    let data = match data.dtype() {
        BurnType::F32 => Data::F32(data.try_into_vec().map_err(|error| error.to_string())?),
        BurnType::F64 => Data::F64(data.try_into_vec().map_err(|error| error.to_string())?),
        other => return Err(format!("the backend gave {other:?}")),
    };
    Ok(Tensor { shape, data })
}

impl<B: Backend> Slot<'_, B> {
    pub(in crate::model) fn dtype(&self) -> Option<DType> {
        match self {
            Slot::Empty => None,
            Slot::Borrowed(view) => Some(view.dtype()),
            Slot::Host(tensor) => Some(tensor.dtype()),
            Slot::Float(tensor) if tensor.dtype() == BurnType::F64 => Some(DType::F64),
            Slot::Float(_) => Some(DType::F32),
        }
    }

    /// Brings the value into host memory, if the backend holds it.
    pub(in crate::model) fn bring_home(&mut self) -> Result<(), Reason> {
        if let Slot::Float(_) = self
            && let Slot::Float(tensor) = std::mem::replace(self, Slot::Empty)
        {
            *self = Slot::Host(download::<B>(tensor)?);
        }
        Ok(())
    }
}
