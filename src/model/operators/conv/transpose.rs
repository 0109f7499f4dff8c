//! Transposed convolution: each element of the input is spread over the output by the filter.

use burn_backend::{Backend, Slice, TensorMetadata, ops::ConvTransposeOptions};
use smallvec::SmallVec;

use super::{
    super::{
        super::{
            Tensor,
            plan::{Args, Given, Kernel, Reason},
        },
        Refusal, Spec,
        broadcast::elements,
        float::zeros,
        sliding::{Axis, Sliding, counts},
    },
    shapes::groups,
};

/// One spatial dimension of the output.
#[derive(Clone, Copy)]
struct Spread {
    stride: usize,
    dilation: usize,
    /// Elements that the filter covers.
    natural: usize,
    /// Elements behind these that nothing is spread over.
    extra: usize,
    /// The elements that are wanted.
    from: usize,
    to: usize,
}

/// What the attributes ask for.
pub(super) struct Transposed {
    pub(super) sliding: Sliding,
    pub(super) groups: usize,
    pub(super) extra: Option<Vec<usize>>,
    pub(super) asked: Option<Vec<usize>>,
}

pub(super) fn conv_transpose<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let transposed = Transposed {
        sliding: Sliding::new(spec)?,
        groups: groups(spec)?,
        extra: counts(spec, "output_padding", 0)?,
        asked: counts(spec, "output_shape", 1)?,
    };
    let rank = transposed.sliding.kernel.as_ref().map(Vec::len);
    let rank = rank.or_else(|| Some(spec.constant(1)?.shape.len().saturating_sub(2)));
    if rank.is_some_and(|rank| rank > 3) {
        return Err(Refusal::unsupported("more than three spatial dimensions"));
    }
    transposed.check_same(spec)?;
    let limit = spec.limits().elements;
    Ok(Kernel::anywhere(move |args| transposed.call(args, limit)))
}

/// Why padding is refused that would have to be negative.
fn narrow(span: usize, stride: usize) -> Reason {
    format!("SAME padding of {span} elements in steps of {stride}, on which ONNX and its runtime differ")
}

impl Transposed {
    /// Refuses at load what padding would be refused at the first run, if the filters are known.
    fn check_same(&self, spec: &Spec<'_>) -> Result<(), Refusal> {
        let constant = spec.constant(1);
        let kernel = self.sliding.kernel.as_deref();
        let kernel = kernel.or_else(|| constant.as_ref()?.shape.get(2..)).unwrap_or_default();
        for (at, &size) in kernel.iter().enumerate().filter(|_| self.sliding.is_same()) {
            let of = |reason| Refusal::Invalid(reason);
            let stride = self.sliding.stride(at, kernel.len()).map_err(of)?;
            let span = Axis::span(size, self.sliding.dilation(at, kernel.len()).map_err(of)?).map_err(of)?;
            if span < stride {
                return Err(Refusal::Unsupported(narrow(span, stride)));
            }
        }
        Ok(())
    }

    pub(super) fn call<B: Backend>(
        &self,
        args: &mut Args<'_, '_, B>,
        limit: usize,
    ) -> Result<Given<B>, Reason> {
        let (input, filters) = (args.shape(0)?, args.shape(1)?);
        let misfit = || {
            let groups = self.groups;
            format!("filters of shape {filters:?} in {groups} groups do not fit an input of shape {input:?}")
        };
        let (&[batch, channels, ref sizes @ ..], &[depth, count, ref kernel @ ..]) =
            (&input[..], &filters[..])
        else {
            return Err(misfit());
        };
        if channels == 0
            || channels != depth
            || !channels.is_multiple_of(self.groups)
            || kernel.len() != sizes.len()
        {
            return Err(misfit());
        }
        let count = count.checked_mul(self.groups).ok_or_else(misfit)?;
        if args.has(2) && args.shape(2)?[..] != [count] {
            return Err(format!("a bias of shape {:?} does not fit {count} filters", args.shape(2)?));
        }
        let spreads = (0..sizes.len()).map(|at| self.spread(at, sizes, kernel));
        let spreads = spreads.collect::<Result<SmallVec<[Spread; 3]>, _>>()?;
        let shaped = |of: fn(&Spread) -> usize| {
            let mut shape = vec![batch, count];
            shape.extend(spreads.iter().map(of));
            elements(&shape, limit).map(|count| (shape, count))
        };
        shaped(|spread| spread.natural + spread.extra)?;
        let (shape, count) = shaped(|spread| spread.to - spread.from)?;
        if count == 0 {
            return Ok(Tensor { shape, data: zeros(count, args.dtype(0)?) }.into());
        }
        by_backend(args, &spreads, self.groups)
    }

    fn spread(&self, at: usize, sizes: &[usize], kernel: &[usize]) -> Result<Spread, Reason> {
        let rank = sizes.len();
        let of = |values: &Option<Vec<usize>>, name: &str| match values {
            None => Ok(None),
            Some(values) if values.len() == rank => Ok(Some(values[at])),
            Some(values) => Err(format!("its {name} {values:?} is not for {rank} dimensions")),
        };
        if self.sliding.kernel.as_deref().is_some_and(|described| described != kernel) {
            return Err(format!("its kernel_shape is not that of its filters, {kernel:?}"));
        }
        let (size, kernel) = (sizes[at], kernel[at]);
        let (stride, dilation) = (self.sliding.stride(at, rank)?, self.sliding.dilation(at, rank)?);
        let extra = of(&self.extra, "output_padding")?.unwrap_or(0);
        let span = Axis::span(kernel, dilation)?;
        let steps = size.checked_sub(1).and_then(|steps| steps.checked_mul(stride));
        let natural = steps.and_then(|steps| steps.checked_add(span));
        let natural =
            natural.ok_or_else(|| format!("{size} elements are not spread by steps of {stride}"))?;
        let same = if self.sliding.is_same() { size.checked_mul(stride) } else { None };
        if same.is_some() && span < stride {
            return Err(narrow(span, stride));
        }
        let asked = of(&self.asked, "output_shape")?.or(same);
        let whole = Axis::padded(natural, extra, 0)?;
        let (before, after) = self.sliding.cropped(at, rank, whole, asked)?;
        let to = match asked {
            Some(asked) => Axis::padded(before, asked, 0)?,
            None => whole.saturating_sub(after),
        };
        if to <= before {
            return Err(format!("its pads {before} and {after} leave nothing of {whole} elements"));
        }
        let extra = to.saturating_sub(natural);
        Ok(Spread { stride, dilation, natural, extra, from: before, to })
    }
}

fn by_backend<B: Backend>(
    args: &mut Args<'_, '_, B>,
    spreads: &[Spread],
    groups: usize,
) -> Result<Given<B>, Reason> {
    let (input, filters) = (args.float(0)?, args.float(1)?);
    let bias = if args.has(2) { Some(args.float(2)?) } else { None };
    let whole = match *spreads {
        [a] => B::conv_transpose1d(input, filters, bias, options([a], groups)),
        [a, b] => B::conv_transpose2d(input, filters, bias, options([a, b], groups)),
        [a, b, c] => B::conv_transpose3d(input, filters, bias, options([a, b, c], groups)),
        _ => return Err(format!("it has {} spatial dimensions", spreads.len())),
    };
    let shape = whole.shape();
    if spreads.iter().zip(&shape[2..]).all(|(spread, &size)| spread.from == 0 && spread.to == size) {
        return Ok(Given::Float(whole));
    }
    let mut wanted: Vec<Slice> = shape[..2].iter().map(|&size| Slice::from(0..size)).collect();
    wanted.extend(spreads.iter().map(|spread| Slice::from(spread.from..spread.to)));
    Ok(Given::Float(B::float_slice(whole, &wanted)))
}

/// Without padding, which would be the same on both sides: what is not wanted is cut off.
fn options<const N: usize>(spreads: [Spread; N], groups: usize) -> ConvTransposeOptions<N> {
    ConvTransposeOptions::new(
        spreads.map(|spread| spread.stride),
        [0; N],
        spreads.map(|spread| spread.extra),
        spreads.map(|spread| spread.dilation),
        groups,
    )
}
