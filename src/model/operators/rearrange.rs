//! Operators that move elements between places, or between dimensions: blocks of pixels to channels and back, sequences turned round.

use burn_backend::Backend;

use super::{
    super::{
        DType, Tensor, TensorView,
        plan::{Kernel, Reason},
        tensor::{Element, each_view},
    },
    Operator, Refusal, Spec,
    broadcast::{Dims, elements, row_major},
    pick::{found, ints, walked},
    select::first_type,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "DepthToSpace" => Operator { types: first_type, kernel: depth_to_space },
        "SpaceToDepth" => Operator { types: first_type, kernel: space_to_depth },
        "ReverseSequence" => Operator { types: first_type, kernel: reverse },
        _ => return None,
    })
}

/// A tensor taken as one of `split` dimensions, those in another order, then taken as one of `shape`.
fn turned(view: TensorView<'_>, split: [usize; 6], order: [usize; 6], shape: Vec<usize>) -> Tensor {
    let steps = row_major(&split);
    let sizes: Dims = order.iter().map(|&at| split[at]).collect();
    let steps: Dims = order.iter().map(|&at| steps[at]).collect();
    Tensor { shape, data: each_view!(view, data => Element::data(walked(data, &sizes, &steps))) }
}

/// The block's size, and whether the channels of a block come before its places.
fn blocks(spec: &Spec<'_>) -> Result<(usize, bool), Refusal> {
    let size = usize::try_from(spec.int("blocksize", 0)?).unwrap_or(0);
    if size == 0 {
        return Err(Refusal::invalid("its `blocksize` is not positive"));
    }
    match spec.text("mode", "DCR")? {
        "DCR" => Ok((size, false)),
        "CRD" => Ok((size, true)),
        other => Err(Refusal::invalid(format!("it does not arrange by `{other}`"))),
    }
}

fn depth_to_space<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (block, channels_first) = blocks(spec)?;
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let &[batch, depth, height, width] = view.shape() else { return Err(not_images(view.shape())) };
        let channels = block.checked_mul(block).filter(|area| depth.is_multiple_of(*area));
        let channels = depth / channels.ok_or_else(|| misfit(view.shape(), block))?;
        let shape = vec![batch, channels, height.saturating_mul(block), width.saturating_mul(block)];
        elements(&shape, limit)?;
        Ok(if channels_first {
            turned(view, [batch, channels, block, block, height, width], [0, 1, 4, 2, 5, 3], shape)
        } else {
            turned(view, [batch, block, block, channels, height, width], [0, 3, 4, 1, 5, 2], shape)
        })
    }))
}

fn space_to_depth<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (block, channels_first) = blocks(spec)?;
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let &[batch, channels, height, width] = view.shape() else { return Err(not_images(view.shape())) };
        if !height.is_multiple_of(block) || !width.is_multiple_of(block) {
            return Err(misfit(view.shape(), block));
        }
        let (rows, columns) = (height / block, width / block);
        let shape = vec![batch, block.saturating_mul(block).saturating_mul(channels), rows, columns];
        elements(&shape, limit)?;
        let split = [batch, channels, rows, block, columns, block];
        let order = if channels_first { [0, 1, 3, 5, 2, 4] } else { [0, 3, 5, 1, 2, 4] };
        Ok(turned(view, split, order, shape))
    }))
}

fn not_images(shape: &[usize]) -> Reason {
    format!("shape {shape:?} is not that of a batch of images")
}

fn misfit(shape: &[usize], block: usize) -> Reason {
    format!("shape {shape:?} is not made of blocks of {block} by {block}")
}

fn reverse<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let time_first = match (spec.int("time_axis", 0)?, spec.int("batch_axis", 1)?) {
        (0, 1) => true,
        (1, 0) => false,
        (time, batch) => {
            return Err(Refusal::invalid(format!("its axes are {time} and {batch}, not 0 and 1")));
        }
    };
    if spec.dtype(1)? != DType::I64 {
        return Err(Refusal::invalid("its lengths are not i64"));
    }
    Ok(Kernel::host(move |args| {
        let (view, lengths) = (args.view(0)?, ints(args.view(1)?)?);
        let [first, second, rest @ ..] = view.shape() else {
            return Err(format!("shape {:?} is not that of a batch of sequences", view.shape()));
        };
        let (time, batch) = if time_first { (*first, *second) } else { (*second, *first) };
        let fits = |&length: &i64| usize::try_from(length).is_ok_and(|length| length <= time);
        if lengths.len() != batch || !lengths.iter().all(fits) {
            return Err(format!("lengths {lengths:?} do not fit {batch} sequences of {time}"));
        }
        let after: usize = rest.iter().product();
        let mut places = Vec::with_capacity(view.len());
        for one in 0..*first {
            for other in 0..*second {
                let (at, entry) = if time_first { (one, other) } else { (other, one) };
                let length = lengths[entry] as usize;
                let from = if at < length { length - 1 - at } else { at };
                let row = if time_first { from * batch + entry } else { entry * time + from };
                places.extend(row * after..(row + 1) * after);
            }
        }
        Ok(Tensor::new(view.shape(), each_view!(view, data => Element::data(found(data, &places)))))
    }))
}
