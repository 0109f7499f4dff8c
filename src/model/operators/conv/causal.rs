//! Convolution of each channel with what came before, of which the last is kept for the next call.

use burn_backend::Backend;
use smallvec::{SmallVec, smallvec};

use super::super::{
    super::{
        DType, Tensor,
        plan::{Args, Kernel, Reason},
    },
    Refusal, Spec,
    broadcast::elements,
    float::{Float, each_float, shared_float},
};

pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    Ok(vec![shared_float(spec)?; 2])
}

pub(super) fn causal<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let swish = match spec.text("activation", "none")? {
        "none" => false,
        "silu" | "swish" => true,
        other => return Err(Refusal::invalid(format!("attribute `activation` is `{other}`"))),
    };
    let limit = spec.limits().elements;
    Ok(Kernel::host_many(move |args| each_float!(args.dtype(0)?, F => convolved::<F, B>(args, swish, limit))))
}

fn convolved<T: Float, B: Backend>(
    args: &Args<'_, '_, B>,
    swish: bool,
    limit: usize,
) -> Result<SmallVec<[Tensor; 2]>, Reason> {
    let (input, weights) = (args.shape(0)?, args.shape(1)?);
    let (&[batch, channels, length], &[filters, 1, kernel]) = (&input[..], &weights[..]) else {
        return Err(format!("filters of shape {weights:?} do not fit an input of shape {input:?}"));
    };
    let kept = kernel.checked_sub(1).filter(|_| filters == channels);
    let kept = kept.ok_or_else(|| format!("filters of shape {weights:?} do not fit {channels} channels"))?;
    let state = vec![batch, channels, kept];
    let fits =
        |index: usize, shape: &[usize]| Ok::<_, Reason>(!args.has(index) || args.shape(index)?[..] == *shape);
    if !fits(2, &[channels])? || !fits(3, &state)? {
        return Err(format!("its bias or its past does not fit {channels} channels and {kernel} weights"));
    }
    elements(&[batch, channels, kept + length], limit)?;
    let (data, weights) = (args.elements::<T>(0)?, args.elements::<T>(1)?);
    let (bias, past) = (args.optional::<T>(2)?, args.optional::<T>(3)?);
    let (mut output, mut present) = (Vec::with_capacity(data.len()), Vec::new());
    let mut row = Vec::with_capacity(kept + length);
    for number in 0..batch * channels {
        let channel = number % channels;
        row.clear();
        match past {
            Some(past) => row.extend_from_slice(&past[number * kept..][..kept]),
            None => row.resize(kept, T::zero()),
        }
        row.extend_from_slice(&data[number * length..][..length]);
        present.extend_from_slice(&row[length..]);
        let weights = &weights[channel * kernel..][..kernel];
        let bias = bias.map_or(T::zero(), |bias| bias[channel]);
        output.extend(row.windows(kernel).map(|window| {
            let products = window.iter().zip(weights).map(|(&value, &weight)| value * weight);
            let sum = products.fold(bias, |sum, product| sum + product);
            if swish { sum / (T::one() + (-sum).exp()) } else { sum }
        }));
    }
    Ok(smallvec![
        Tensor { shape: input.to_vec(), data: T::data(output) },
        Tensor { shape: state, data: T::data(present) }
    ])
}
