//! Convolutions of bytes.

use burn_backend::Backend;

use super::{
    super::{
        super::{
            Data, Tensor, TensorView,
            plan::{Kernel, Reason},
        },
        Refusal, Spec,
        conv::{Shapes, convolve, groups},
        sliding::Sliding,
    },
    centred::{centred, requantized},
};

struct Conv {
    sliding: Sliding,
    groups: usize,
    limit: usize,
}

impl Conv {
    fn new(spec: &Spec<'_>) -> Result<Conv, Refusal> {
        Ok(Conv { sliding: Sliding::new(spec)?, groups: groups(spec)?, limit: spec.limits().elements })
    }

    /// Sums that wrap at 32 bits. The zero of the input is that of its padding.
    fn sums(
        &self,
        (input, zero): (TensorView<'_>, Option<TensorView<'_>>),
        (filters, zeros): (TensorView<'_>, Option<TensorView<'_>>),
        bias: Option<&[i32]>,
    ) -> Result<(Vec<usize>, Vec<i32>), Reason> {
        let shapes = Shapes::new(input.shape(), filters.shape(), self.groups, &self.sliding)?;
        let shape = shapes.output(self.limit)?;
        if bias.is_some_and(|bias| bias.len() != shape[1]) || zero.is_some_and(|zero| zero.len() != 1) {
            return Err(format!("its bias or its zero does not fit {} filters", shape[1]));
        }
        let input = centred(input, zero, &[])?;
        let of_filters = zeros.map(|zeros| of_filters(zeros.shape(), filters.shape().len()));
        let filters = centred(filters, zeros, of_filters.as_deref().unwrap_or_default())?;
        Ok((shape, convolve(&shapes, &input, &filters, bias)))
    }
}

/// The shape of a parameter for each filter, so that it is stretched over the other dimensions.
fn of_filters(shape: &[usize], rank: usize) -> Vec<usize> {
    match *shape {
        [filters] if filters != 1 => [vec![filters], vec![1; rank - 1]].concat(),
        _ => shape.to_vec(),
    }
}

pub(super) fn conv<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let conv = Conv::new(spec)?;
    Ok(Kernel::host(move |args| {
        let zero = |index| if args.has(index) { args.view(index).map(Some) } else { Ok(None) };
        let (shape, sums) = conv.sums((args.view(0)?, zero(2)?), (args.view(1)?, zero(3)?), None)?;
        Ok(Tensor { shape, data: Data::I32(sums) })
    }))
}

pub(super) fn quantized_conv<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let conv = Conv::new(spec)?;
    Ok(Kernel::host(move |args| {
        let (input, filters) = ((args.view(0)?, Some(args.view(2)?)), (args.view(3)?, Some(args.view(5)?)));
        let (shape, sums) = conv.sums(input, filters, args.optional(8)?)?;
        let &[scale] = args.elements::<f32>(1)? else {
            return Err(format!("its input has a scale of shape {:?}", args.shape(1)?));
        };
        let scales = args.elements::<f32>(4)?.iter().map(|&of_filter| scale * of_filter).collect();
        let of_scales = of_filters(&args.shape(4)?, shape.len() - 1);
        requantized(args, shape, &sums, (&of_scales, scales))
    }))
}
