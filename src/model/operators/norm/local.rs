//! Local response normalisation: of each element by those at its place in the channels around its own.

use burn_backend::Backend;

use super::super::{
    super::{
        Tensor,
        plan::{Kernel, Reason},
        tensor::Element,
    },
    Refusal, Spec,
    float::{Float, each_float},
};

struct Response {
    /// Channels in front of an element's own that count, and behind it.
    before: usize,
    after: usize,
    /// By which the sum is multiplied.
    factor: f64,
    bias: f64,
    power: f64,
}

pub(super) fn local<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let size = usize::try_from(spec.int("size", 0)?).ok().filter(|&size| size > 0);
    let size = size.ok_or_else(|| Refusal::invalid("it has no number of channels"))?;
    let response = Response {
        before: (size - 1) / 2,
        after: (size - 1).div_ceil(2),
        factor: f64::from(spec.float("alpha", 1e-4)?) / size as f64,
        bias: spec.float("bias", 1.0)?.into(),
        power: spec.float("beta", 0.75)?.into(),
    };
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        each_float!(view.dtype(), F => {
            let data = response.normalized::<F>(args.elements(0)?, view.shape())?;
            Ok(Tensor::new(view.shape(), F::data(data)))
        })
    }))
}

impl Response {
    fn normalized<T: Float>(&self, data: &[T], shape: &[usize]) -> Result<Vec<T>, Reason> {
        let &[_, channels, ref sizes @ ..] = shape else {
            return Err(format!("a tensor of shape {shape:?} has no channels"));
        };
        let size = sizes.iter().product::<usize>().max(1);
        let mut output = Vec::with_capacity(data.len());
        let mut squares = vec![0.0_f64; size];
        for instance in data.chunks_exact((channels * size).max(1)) {
            let planes: Vec<&[T]> = instance.chunks_exact(size).collect();
            for (channel, plane) in planes.iter().enumerate() {
                squares.fill(0.0);
                let around = channel.saturating_sub(self.before)..(channel + self.after + 1).min(channels);
                for plane in &planes[around] {
                    squares
                        .iter_mut()
                        .zip(*plane)
                        .for_each(|(sum, &value)| *sum += value.into() * value.into());
                }
                output.extend(plane.iter().zip(&squares).map(|(&value, square)| {
                    T::nearest(value.into() / (self.bias + self.factor * square).powf(self.power))
                }));
            }
        }
        Ok(output)
    }
}
