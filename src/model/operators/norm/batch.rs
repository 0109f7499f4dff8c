//! Batch normalisation: of each channel over the whole batch, by statistics that are given or, in training, its own.

use burn_backend::Backend;
use smallvec::{SmallVec, smallvec};

use super::{
    super::{
        super::{
            DType, Tensor,
            plan::{Args, Kernel, Reason},
        },
        Refusal, Spec,
        cast::{convert, of_f64, to_f64},
        float::{Float, each_float},
    },
    sum,
};

/// Before version 7 it trained unless it was told not to, before 14 where its statistics were read.
pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let (trains, old) = (spec.flag("training_mode", false)?, spec.version() < 14);
    let read = (1..spec.outputs()).any(|output| spec.gives(output));
    if (old && read) || (spec.version() < 7 && !spec.flag("is_test", false)?) {
        return Err(Refusal::unsupported("training mode of versions before 14"));
    }
    if !spec.flag("spatial", true)? {
        return Err(Refusal::unsupported("statistics for each element"));
    }
    if read && !trains {
        return Err(Refusal::invalid("statistics are read that it has in training alone"));
    }
    let dtype = spec.dtype(0)?;
    // The statistics' type may be another one, so that wider floats must not stand for both.
    let is_kept = trains && dtype == DType::F16;
    if !dtype.is_float() && !is_kept {
        return Err(Refusal::invalid(format!("it does not compute with {dtype}")));
    }
    Ok(vec![dtype, spec.dtype(3)?, spec.dtype(4)?])
}

pub(super) fn batch<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let epsilon = f64::from(spec.float("epsilon", 1e-5)?);
    let momentum = f64::from(spec.float("momentum", 0.9)?);
    let trains = spec.flag("training_mode", false)?.then_some(momentum);
    Ok(Kernel::host_many(move |args| {
        let mut tensor = args.take(0)?;
        let dtype = tensor.dtype();
        if dtype == DType::F16 {
            tensor = convert(tensor, DType::F32)?;
        }
        let mut outputs =
            each_float!(tensor.dtype(), F => normalized::<F, B>(args, tensor, epsilon, trains))?;
        if dtype == DType::F16 {
            outputs[0] = convert(outputs[0].clone(), dtype)?;
        }
        Ok(outputs)
    }))
}

/// The tensor, normalised; in training with a momentum also the running statistics.
fn normalized<T: Float, B: Backend>(
    args: &Args<'_, '_, B>,
    tensor: Tensor,
    epsilon: f64,
    trains: Option<f64>,
) -> Result<SmallVec<[Tensor; 2]>, Reason> {
    let shape = tensor.shape;
    let channels = shape.get(1).copied().unwrap_or(1);
    let size = shape.iter().skip(2).product::<usize>();
    let mut of = SmallVec::<[Vec<f64>; 4]>::new();
    for index in 1..5 {
        of.push(to_f64(args.view(index)?)?);
    }
    if of.iter().any(|values| values.len() != channels) {
        return Err(format!("its parameters do not fit {channels} channels"));
    }
    let mut data = T::owned(tensor.data)?;
    let mut running = SmallVec::<[Tensor; 2]>::new();
    if let Some(momentum) = trains {
        let statistics = statistics(&data, channels, size);
        for (index, current) in [3, 4].into_iter().zip(statistics) {
            let pairs = of[index - 1].iter().zip(&current);
            let values = pairs.map(|(old, new)| old * momentum + new * (1.0 - momentum)).collect();
            running.push(Tensor::new([channels], of_f64(values, args.dtype(index)?)?));
            of[index - 1] = current;
        }
    }
    for (number, plane) in data.chunks_exact_mut(size.max(1)).enumerate() {
        let [scale, bias, mean, variance] = [0, 1, 2, 3].map(|index| of[index][number % channels]);
        let scale = scale / (variance + epsilon).sqrt();
        for value in plane {
            *value = T::nearest(((*value).into() - mean) * scale + bias);
        }
    }
    let mut outputs = smallvec![Tensor { shape, data: T::data(data) }];
    outputs.extend(running);
    Ok(outputs)
}

/// Mean and variance of each channel.
fn statistics<T: Float>(data: &[T], channels: usize, size: usize) -> [Vec<f64>; 2] {
    let count = (data.len() / channels.max(1)) as f64;
    let of_channel = |channel: usize, of: &dyn Fn(f64) -> f64| {
        let planes = data.chunks_exact(size.max(1)).skip(channel).step_by(channels);
        planes.map(|plane| sum(plane, of)).sum::<f64>() / count
    };
    let means: Vec<f64> = (0..channels).map(|channel| of_channel(channel, &|value| value)).collect();
    let spread = |channel: usize| of_channel(channel, &|value| (value - means[channel]).powi(2));
    let variances = (0..channels).map(spread).collect();
    [means, variances]
}
