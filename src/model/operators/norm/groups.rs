//! Normalisation of each instance's channels, one by one or in groups.

use burn_backend::Backend;

use super::{
    super::{
        super::{
            Tensor,
            plan::{Args, Kernel, Reason},
        },
        Refusal, Spec,
        float::{Float, each_float},
    },
    check_stash, moments,
};

/// What is normalised together, and what is scaled alike.
#[derive(Clone, Copy)]
enum Groups {
    /// Each channel, with a scale of its own.
    Channels,
    /// So many groups of channels. Each group has a scale, or each channel has.
    Of { count: usize, scaled: bool },
}

pub(super) fn groups<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    check_stash(spec)?;
    let groups = if spec.op().name == "InstanceNormalization" {
        Groups::Channels
    } else {
        let count = usize::try_from(spec.int("num_groups", 0)?).ok().filter(|&count| count > 0);
        let count = count.ok_or_else(|| Refusal::invalid("it has no number of groups"))?;
        Groups::Of { count, scaled: spec.version() < 21 }
    };
    let epsilon = f64::from(spec.float("epsilon", 1e-5)?);
    Ok(Kernel::host(move |args| {
        let tensor = args.take(0)?;
        each_float!(tensor.dtype(), F => normalized::<F, B>(args, tensor, groups, epsilon))
    }))
}

fn normalized<T: Float, B: Backend>(
    args: &Args<'_, '_, B>,
    tensor: Tensor,
    groups: Groups,
    epsilon: f64,
) -> Result<Tensor, Reason> {
    let (scale, bias) = (args.elements::<T>(1)?, args.elements::<T>(2)?);
    let shape = tensor.shape;
    let &[_, channels, ref sizes @ ..] = shape.as_slice() else {
        return Err(format!("a tensor of shape {shape:?} has no channels"));
    };
    let (count, scales) = match groups {
        Groups::Channels => (channels, channels),
        Groups::Of { count, scaled } => (count, if scaled { count } else { channels }),
    };
    if count == 0 || !channels.is_multiple_of(count) || [scale.len(), bias.len()] != [scales; 2] {
        let lengths = (scale.len(), bias.len());
        return Err(format!(
            "{lengths:?} scales and biases do not fit {channels} channels in {count} groups"
        ));
    }
    let size: usize = sizes.iter().product();
    let mut data = T::owned(tensor.data)?;
    for (number, group) in data.chunks_exact_mut((channels / count * size).max(1)).enumerate() {
        let (mean, inverse) = moments(group, epsilon);
        for (channel, values) in group.chunks_exact_mut(size.max(1)).enumerate() {
            let channel = number % count * (channels / count) + channel;
            let (scale, bias) = (scale[channel * scales / channels], bias[channel * scales / channels]);
            for value in values {
                *value = T::nearest(((*value).into() - mean) * inverse) * scale + bias;
            }
        }
    }
    Ok(Tensor { shape, data: T::data(data) })
}
