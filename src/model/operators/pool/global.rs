//! What a whole plane becomes.

use burn_backend::Backend;

use super::{
    super::{
        super::{Tensor, plan::Kernel, tensor::Element},
        Refusal, Spec,
        float::{Float, each_float},
        number::Number,
    },
    average::{power, raised, root},
};

#[derive(Clone, Copy)]
enum Global {
    Average,
    Max,
    Norm(i32),
}

pub(super) fn global<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let of = match spec.op().name.as_str() {
        "GlobalAveragePool" => Global::Average,
        "GlobalMaxPool" => Global::Max,
        _ => Global::Norm(power(spec)?),
    };
    Ok(Kernel::host(move |args| {
        let mut shape = args.shape(0)?.to_vec();
        let sizes = shape.get_mut(2..).unwrap_or_default();
        let size: usize = sizes.iter().product();
        if size == 0 || args.shape(0)?.len() < 2 {
            return Err(format!("a tensor of shape {:?} has no planes", args.shape(0)?));
        }
        sizes.fill(1);
        each_float!(args.dtype(0)?, F => {
            let planes = args.elements::<F>(0)?.chunks_exact(size);
            Ok(Tensor { shape, data: F::data(planes.map(|plane| pooled(plane, of)).collect()) })
        })
    }))
}

/// Sums are of 64 bits, as those of a reduction.
fn pooled<T: Float + Number>(plane: &[T], of: Global) -> T {
    let sum = |of: &dyn Fn(f64) -> f64| plane.iter().map(|&value| of(value.into())).sum::<f64>();
    T::nearest(match of {
        Global::Max => return plane.iter().copied().fold(T::neg_infinity(), Number::max),
        Global::Average => sum(&|value| value) / plane.len() as f64,
        Global::Norm(power) => root(sum(&|value| raised(value, power)), power),
    })
}
