//! A linear unit whose gate is a swish.

use burn_backend::Backend;

use super::{
    super::{
        Tensor,
        plan::{Args, Given, Kernel, Reason},
        tensor::Element,
    },
    Operator, Refusal, Spec,
    float::{Float, each_float, shared_types},
    on_backend,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    (name == "SwiGLU").then_some(Operator { types: shared_types, kernel: swiglu })
}

/// `a * sigmoid(alpha * a) * b`.
fn swiglu<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let alpha = spec.float("alpha", 1.0)?;
    let small = spec.loop_elements();
    Ok(Kernel::anywhere(move |args| {
        let (gate, shape) = (args.shape(0)?, args.shape(1)?);
        if gate != shape {
            return Err(format!("a gate of shape {gate:?} does not fit {shape:?}"));
        }
        if on_backend(&shape, small) {
            let open = B::sigmoid(B::float_mul_scalar(args.float(0)?, alpha.into()));
            let swish = B::float_mul(args.float(0)?, open);
            return Ok(Given::Float(B::float_mul(swish, args.float(1)?)));
        }
        args.bring_home()?;
        each_float!(args.dtype(0)?, F => {
            Ok(Tensor { data: F::data(gated::<F, B>(args, alpha)?), shape: shape.to_vec() }.into())
        })
    }))
}

fn gated<T: Float, B: Backend>(args: &Args<'_, '_, B>, alpha: f32) -> Result<Vec<T>, Reason> {
    let alpha = T::nearest(alpha.into());
    let pairs = args.elements::<T>(0)?.iter().zip(args.elements::<T>(1)?);
    Ok(pairs.map(|(&gate, &value)| gate / (T::one() + (-alpha * gate).exp()) * value).collect())
}
