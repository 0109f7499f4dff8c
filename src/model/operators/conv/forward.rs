//! Convolution.

use burn_backend::{
    Backend,
    ops::{ConvOptions, conv::pad_asymmetric_conv_input},
};

use super::{
    super::{
        super::{
            Tensor,
            plan::{Args, Given, Kernel, Reason},
        },
        Refusal, Spec,
        float::{Float, each_float},
        number::Number,
        sliding::{Axis, Sliding},
    },
    Shapes, convolve,
    shapes::groups,
};

pub(super) fn conv<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (sliding, groups) = (Sliding::new(spec)?, groups(spec)?);
    let limit = spec.limits().elements;
    Ok(Kernel::anywhere(move |args| {
        let (input, filters) = (args.shape(0)?, args.shape(1)?);
        let shapes = Shapes::new(&input, &filters, groups, &sliding)?;
        let shape = shapes.output(limit)?;
        if args.has(2) && args.shape(2)?[..] != shape[1..2] {
            return Err(format!("a bias of shape {:?} does not fit {} filters", args.shape(2)?, shape[1]));
        }
        if shapes.axes.len() <= 3 && !shape.contains(&0) && shapes.channels > 0 {
            return by_backend(args, &shapes);
        }
        args.bring_home()?;
        each_float!(args.dtype(0)?, F => in_loop::<F, B>(args, &shapes, shape))
    }))
}

pub(super) fn by_backend<B: Backend>(
    args: &mut Args<'_, '_, B>,
    shapes: &Shapes,
) -> Result<Given<B>, Reason> {
    let (input, filters) = (args.float(0)?, args.float(1)?);
    let bias = if args.has(2) { Some(args.float(2)?) } else { None };
    let groups = shapes.groups;
    Ok(Given::Float(match *shapes.axes.as_slice() {
        [a] => B::conv1d(input, filters, bias, options([a], groups)),
        [a, b] => B::conv2d(input, filters, bias, options([a, b], groups)),
        [a, b, c] => {
            // burn-ndarray would leave out the padding behind.
            let (input, options) = pad_asymmetric_conv_input::<B, 3>(input, options([a, b, c], groups));
            B::conv3d(input, filters, bias, options)
        }
        _ => return Err(format!("it has {} spatial dimensions", shapes.axes.len())),
    }))
}

fn options<const N: usize>(axes: [Axis; N], groups: usize) -> ConvOptions<N> {
    let padding = axes.map(|axis| (axis.before, axis.after));
    ConvOptions::new_with_padding(
        axes.map(|axis| axis.stride),
        padding,
        axes.map(|axis| axis.dilation),
        groups,
    )
}

fn in_loop<T: Float + Number, B: Backend>(
    args: &Args<'_, '_, B>,
    shapes: &Shapes,
    shape: Vec<usize>,
) -> Result<Given<B>, Reason> {
    let output = convolve::<T>(shapes, args.elements(0)?, args.elements(1)?, args.optional(2)?);
    Ok(Tensor { shape, data: T::data(output) }.into())
}
