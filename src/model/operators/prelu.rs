//! PRelu: a line of one slope for positive numbers, of another that is given for negative ones.

use burn_backend::Backend;

use super::{
    super::{
        DType, Tensor,
        plan::Kernel,
        tensor::{Element, each_number},
    },
    Operator, Refusal, Spec,
    broadcast::{broadcast, zip},
    number::Number,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    (name == "PRelu").then_some(Operator { types, kernel })
}

fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let (dtype, slope) = (spec.dtype(0)?, spec.dtype(1)?);
    match dtype {
        _ if slope != dtype => Err(Refusal::invalid(format!("its slope is {slope}, not {dtype}"))),
        DType::F16 | DType::Bool | DType::Str => {
            Err(Refusal::invalid(format!("it does not compute with {dtype}")))
        }
        dtype => Ok(vec![dtype]),
    }
}

fn kernel<B: Backend>(_: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    Ok(Kernel::host(|args| {
        let (view, slope) = (args.view(0)?, args.view(1)?);
        let shape = view.shape();
        if broadcast(shape, slope.shape())?[..] != *shape {
            return Err(format!("a slope of shape {:?} does not fit shape {shape:?}", slope.shape()));
        }
        let data = each_number!(view, data => {
            let slopes = slope.like(data).ok_or("its slope is of another type")?;
            Element::data(zip((shape, data), (slope.shape(), slopes), shape, bent))
        }, other => return Err(format!("it does not compute with {}", other.dtype())));
        Ok(Tensor::new(shape, data))
    }))
}

fn bent<T: Number>(value: T, slope: T) -> T {
    if value < T::of_f64(0.0) { value.mul(slope) } else { value }
}
