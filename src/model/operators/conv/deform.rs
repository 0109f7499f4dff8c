//! Convolution whose window is deformed: each of its elements is moved by an offset of its own.

use burn_backend::{
    Backend,
    ops::{DeformConvOptions, PadMode},
};

use super::{
    super::{
        super::{
            Tensor,
            plan::{Args, Given, Kernel, Reason},
        },
        Refusal, Spec,
        broadcast::elements,
        float::zeros,
        sliding::Sliding,
    },
    Shapes,
    shapes::{count, groups},
};

pub(super) fn deform<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let sliding = Sliding::new(spec)?;
    let (groups, of_offsets) = (groups(spec)?, count(spec, "offset_group")?);
    let rank = sliding.kernel.as_ref().map(Vec::len);
    let rank = rank.or_else(|| Some(spec.constant(1)?.shape.len().saturating_sub(2)));
    if rank.is_some_and(|rank| rank != 2) {
        return Err(Refusal::unsupported("a number of spatial dimensions other than two"));
    }
    let limit = spec.limits().elements;
    Ok(Kernel::anywhere(move |args| {
        let shapes = Shapes::new(&args.shape(0)?, &args.shape(1)?, groups, &sliding)?;
        let shape = shapes.output(limit)?;
        check(args, &shapes, &shape, of_offsets, limit)?;
        if shape.contains(&0) || shapes.channels == 0 {
            let count = shape.iter().product();
            return Ok(Tensor { shape, data: zeros(count, args.dtype(0)?) }.into());
        }
        by_backend(args, &shapes, of_offsets)
    }))
}

/// Checks the offsets, the bias and the mask, and what the backend needs for all windows at once.
fn check<B: Backend>(
    args: &Args<'_, '_, B>,
    shapes: &Shapes,
    shape: &[usize],
    of_offsets: usize,
    limit: usize,
) -> Result<(), Reason> {
    let (&[batch, filters, height, width], [y, x]) = (shape, shapes.axes.as_slice()) else {
        return Err(format!("it has {} spatial dimensions", shapes.axes.len()));
    };
    let channels = shapes.groups * shapes.channels;
    if !channels.is_multiple_of(of_offsets) {
        return Err(format!("{of_offsets} groups of offsets do not share {channels} channels"));
    }
    elements(&[channels, y.kernel, x.kernel, batch, height, width], limit)?;
    let of_window = of_offsets * y.kernel * x.kernel;
    let expected: [(usize, &[usize]); 3] = [
        (2, &[batch, 2 * of_window, height, width]),
        (3, &[filters]),
        (4, &[batch, of_window, height, width]),
    ];
    for (index, expected) in expected {
        if (index == 2 || args.has(index)) && args.shape(index)?[..] != *expected {
            return Err(format!("argument {index} is of shape {:?}, not {expected:?}", args.shape(index)?));
        }
    }
    Ok(())
}

fn by_backend<B: Backend>(
    args: &mut Args<'_, '_, B>,
    shapes: &Shapes,
    of_offsets: usize,
) -> Result<Given<B>, Reason> {
    let &[y, x] = shapes.axes.as_slice() else { return Err("it has no two spatial dimensions".to_owned()) };
    let (mut input, filters, offsets) = (args.float(0)?, args.float(1)?, args.float(2)?);
    let bias = if args.has(3) { Some(args.float(3)?) } else { None };
    let mask = if args.has(4) { Some(args.float(4)?) } else { None };
    let mut padding = [y.before, x.before];
    // The backend pads both sides alike. Zeros are what is outside as well.
    if padding != [y.after, x.after] {
        let around = [(0, 0), (0, 0), (y.before, y.after), (x.before, x.after)];
        input = B::float_pad(input, &around, PadMode::Constant(0.0));
        padding = [0, 0];
    }
    let (stride, dilation) = ([y.stride, x.stride], [y.dilation, x.dilation]);
    let options = DeformConvOptions::new(stride, padding, dilation, shapes.groups, of_offsets);
    Ok(Given::Float(B::deform_conv2d(input, offsets, filters, mask, bias, options)))
}
