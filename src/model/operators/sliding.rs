//! A window that slides over a tensor's spatial dimensions: its sizes, steps, gaps and padding, as convolutions and
//! pools share them.

use std::ops::Range;

use smallvec::SmallVec;

use super::{super::plan::Reason, Refusal, Spec, broadcast::Dims};

/// The spatial dimensions of one call.
pub(super) type Axes = SmallVec<[Axis; 3]>;

/// One spatial dimension, and what slides along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    /// Elements of the input.
    pub(super) size: usize,
    /// Elements of the window.
    pub(super) kernel: usize,
    /// From one place of the window to the next.
    pub(super) stride: usize,
    /// From one element of the window to the next.
    pub(super) dilation: usize,
    /// Padding in front of the input.
    pub(super) before: usize,
    /// Padding behind the input.
    pub(super) after: usize,
    /// Places of the window: elements of the output.
    pub(super) out: usize,
}

impl Axis {
    /// Elements from the first to the last of a window, those in its gaps included.
    pub(super) fn span(kernel: usize, dilation: usize) -> Result<usize, Reason> {
        let span = kernel.checked_sub(1).and_then(|gaps| gaps.checked_mul(dilation)?.checked_add(1));
        span.ok_or_else(|| format!("{kernel} elements at distances of {dilation} are no window"))
    }

    /// Elements of the input with its padding.
    pub(super) fn padded(size: usize, before: usize, after: usize) -> Result<usize, Reason> {
        let padded = size.checked_add(before).and_then(|padded| padded.checked_add(after));
        padded.ok_or_else(|| format!("padding of {before} and {after} is too large"))
    }

    /// The places of the window at which its element `element` is inside the input.
    pub(super) fn reached(&self, element: usize) -> Range<usize> {
        let offset = element * self.dilation;
        let first = self.before.saturating_sub(offset).div_ceil(self.stride);
        let end = (self.size + self.before).saturating_sub(offset).div_ceil(self.stride).min(self.out);
        first.min(end)..end
    }

    /// The element of the input under element `element` of the window at `place`, which reaches it.
    fn under(&self, place: usize, element: usize) -> usize {
        place * self.stride + element * self.dilation - self.before
    }

    /// Elements of the window at `place` that are below `end`, counted from the start of the padding.
    fn below(&self, place: usize, end: usize) -> usize {
        end.saturating_sub(place * self.stride).div_ceil(self.dilation).min(self.kernel)
    }

    /// Elements of the window at `place` that are inside the input.
    pub(super) fn inside(&self, place: usize) -> usize {
        self.below(place, self.before + self.size) - self.below(place, self.before)
    }

    /// Elements of the window at `place` that are inside the input or its padding.
    pub(super) fn inside_padded(&self, place: usize) -> usize {
        self.below(place, self.before + self.size + self.after)
    }
}

/// How the input is padded.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Padding {
    /// By so many elements in front of each dimension, then behind each.
    Explicit(Option<Vec<usize>>),
    /// Not at all.
    Valid,
    /// So that there is a place for each step in the input. What is odd is in front, or behind where `upper`.
    Same { upper: bool },
}

/// The window of a node, as its attributes describe it.
#[derive(Clone, Debug)]
pub(super) struct Sliding {
    pub(super) kernel: Option<Vec<usize>>,
    strides: Option<Vec<usize>>,
    dilations: Option<Vec<usize>>,
    padding: Padding,
    /// Whether a last place counts at which the window is partly outside.
    ceil: bool,
}

impl Sliding {
    pub(super) fn new(spec: &Spec<'_>) -> Result<Sliding, Refusal> {
        let padding = match spec.text("auto_pad", "NOTSET")? {
            "NOTSET" | "" => Padding::Explicit(counts(spec, "pads", 0)?),
            "VALID" => Padding::Valid,
            "SAME_UPPER" => Padding::Same { upper: true },
            "SAME_LOWER" => Padding::Same { upper: false },
            other => return Err(Refusal::invalid(format!("attribute `auto_pad` is `{other}`"))),
        };
        Ok(Sliding {
            kernel: counts(spec, "kernel_shape", 1)?,
            strides: counts(spec, "strides", 1)?,
            dilations: counts(spec, "dilations", 1)?,
            padding,
            ceil: spec.flag("ceil_mode", false)?,
        })
    }

    /// The window that these dimensions have.
    #[cfg(test)]
    pub(super) fn of(axes: &[Axis]) -> Sliding {
        let listed = |of: fn(&Axis) -> usize| Some(axes.iter().map(of).collect());
        let pads = axes.iter().map(|axis| axis.before).chain(axes.iter().map(|axis| axis.after));
        Sliding {
            kernel: listed(|axis| axis.kernel),
            strides: listed(|axis| axis.stride),
            dilations: listed(|axis| axis.dilation),
            padding: Padding::Explicit(Some(pads.collect())),
            ceil: false,
        }
    }

    /// The window's places over an input of these spatial dimensions.
    pub(super) fn over(&self, sizes: &[usize], kernel: &[usize]) -> Result<Axes, Reason> {
        let described = self.kernel.as_deref().unwrap_or(kernel);
        if sizes.is_empty() || kernel.len() != sizes.len() || described != kernel {
            return Err(format!("a window of {described:?} does not slide over {sizes:?}"));
        }
        let axis = |at: usize| self.axis(at, sizes, kernel[at]);
        (0..sizes.len()).map(axis).collect()
    }

    fn axis(&self, at: usize, sizes: &[usize], kernel: usize) -> Result<Axis, Reason> {
        let (size, rank) = (sizes[at], sizes.len());
        let (stride, dilation) = (self.stride(at, rank)?, self.dilation(at, rank)?);
        let span = Axis::span(kernel, dilation)?;
        let (before, after) = match &self.padding {
            Padding::Explicit(pads) => explicit(pads.as_deref(), at, rank)?,
            Padding::Valid => (0, 0),
            Padding::Same { upper } => {
                let steps = size.div_ceil(stride).saturating_sub(1) * stride;
                let total = Axis::padded(steps, span, 0)?.saturating_sub(size);
                halves(total, *upper)
            }
        };
        let padded = Axis::padded(size, before, after)?;
        if size == 0 || padded < span {
            return Err(format!(
                "a window of {span} does not fit into {size} with padding {before} and {after}"
            ));
        }
        let ceil = self.ceil && matches!(self.padding, Padding::Explicit(_));
        let mut out = (padded - span) / stride + 1;
        // A window that would start behind the input is none.
        if ceil && !(padded - span).is_multiple_of(stride) && out * stride < size + before {
            out += 1;
        }
        Ok(Axis { size, kernel, stride, dilation, before, after, out })
    }

    pub(super) fn stride(&self, at: usize, rank: usize) -> Result<usize, Reason> {
        listed(self.strides.as_deref(), at, rank, "strides")
    }

    pub(super) fn dilation(&self, at: usize, rank: usize) -> Result<usize, Reason> {
        listed(self.dilations.as_deref(), at, rank, "dilations")
    }

    /// The padding in front of and behind a dimension along which a transposed window covers `natural` elements, of
    /// which `asked` are wanted.
    pub(super) fn cropped(
        &self,
        at: usize,
        rank: usize,
        natural: usize,
        asked: Option<usize>,
    ) -> Result<(usize, usize), Reason> {
        match (&self.padding, asked) {
            (Padding::Explicit(pads), None) => explicit(pads.as_deref(), at, rank),
            (Padding::Valid, None) => Ok((0, 0)),
            (padding, asked) => {
                let total = natural.saturating_sub(asked.unwrap_or(natural));
                Ok(halves(total, *padding == Padding::Same { upper: true }))
            }
        }
    }

    /// Whether the output is to have an element for each step.
    pub(super) fn is_same(&self) -> bool {
        matches!(self.padding, Padding::Same { .. })
    }
}

/// Numbers of elements from an attribute.
pub(super) fn counts(spec: &Spec<'_>, name: &str, least: usize) -> Result<Option<Vec<usize>>, Refusal> {
    let most = spec.limits().elements;
    let count = |&value: &i64| match usize::try_from(value) {
        Ok(count) if (least..=most).contains(&count) => Ok(count),
        _ => Err(Refusal::invalid(format!("attribute `{name}` has {value}, not from {least} to {most}"))),
    };
    match spec.ints(name)? {
        Some(values) => values.iter().map(count).collect::<Result<_, _>>().map(Some),
        None => Ok(None),
    }
}

/// The number for a dimension; 1 where none are listed.
fn listed(values: Option<&[usize]>, at: usize, rank: usize, name: &str) -> Result<usize, Reason> {
    match values {
        None => Ok(1),
        Some(values) if values.len() == rank => Ok(values[at]),
        Some(values) => Err(format!("its {name} {values:?} are not for {rank} dimensions")),
    }
}

fn explicit(pads: Option<&[usize]>, at: usize, rank: usize) -> Result<(usize, usize), Reason> {
    match pads {
        None => Ok((0, 0)),
        Some(pads) if pads.len() == 2 * rank => Ok((pads[at], pads[at + rank])),
        Some(pads) => Err(format!("its pads {pads:?} are not for {rank} dimensions")),
    }
}

/// Padding in front and behind that is `total` together.
fn halves(total: usize, upper: bool) -> (usize, usize) {
    let (less, more) = (total / 2, total.div_ceil(2));
    if upper { (less, more) } else { (more, less) }
}

/// Elements of the input, of the window and of the output over all dimensions together.
pub(super) fn volume(axes: &[Axis], of: impl Fn(&Axis) -> usize) -> usize {
    axes.iter().map(of).product()
}

/// Calls `visit` with each element of the window that is inside the input at any place, in row-major order.
pub(super) fn each_element(axes: &[Axis], mut visit: impl FnMut(&[usize])) {
    fn descend(axes: &[Axis], element: &mut Dims, visit: &mut dyn FnMut(&[usize])) {
        let Some(axis) = axes.get(element.len()) else { return visit(element) };
        for index in 0..axis.kernel {
            if !axis.reached(index).is_empty() {
                element.push(index);
                descend(axes, element, visit);
                element.pop();
            }
        }
    }
    descend(axes, &mut Dims::new(), &mut visit);
}

/// Combines each place of the window with the element of the input that is there under one element of the window.
pub(super) fn gather<T: Copy, U>(
    axes: &[Axis],
    element: &[usize],
    input: &[T],
    output: &mut [U],
    combine: &impl Fn(&mut U, T),
) {
    each_run(axes, element, (0, 0), &mut |first, stride, places| {
        let (input, output) = (&input[first..], &mut output[places]);
        if stride == 1 {
            output.iter_mut().zip(input).for_each(|(output, input)| combine(output, *input));
        } else {
            let input = input.iter().step_by(stride);
            output.iter_mut().zip(input).for_each(|(output, input)| combine(output, *input));
        }
    });
}

/// The inverse: combines each element of the input with the place of the window at which it is under one element of it.
pub(super) fn scatter<T: Copy, U>(
    axes: &[Axis],
    element: &[usize],
    output: &[T],
    input: &mut [U],
    combine: &impl Fn(&mut U, T),
) {
    each_run(axes, element, (0, 0), &mut |first, stride, places| {
        let input = input[first..].iter_mut().step_by(stride);
        input.zip(&output[places]).for_each(|(input, output)| combine(input, *output));
    });
}

/// Calls `visit` with the places along the last dimension that an element of the window reaches: the first element of
/// the input and the distance to the next, and the elements of the output.
fn each_run(
    axes: &[Axis],
    element: &[usize],
    (input, output): (usize, usize),
    visit: &mut impl FnMut(usize, usize, Range<usize>),
) {
    let ([axis, axes @ ..], [index, element @ ..]) = (axes, element) else { return };
    let reached = axis.reached(*index);
    if reached.is_empty() {
        return;
    }
    if axes.is_empty() {
        let first = input * axis.size + axis.under(reached.start, *index);
        let start = output * axis.out;
        return visit(first, axis.stride, start + reached.start..start + reached.end);
    }
    for place in reached {
        let at = (input * axis.size + axis.under(place, *index), output * axis.out + place);
        each_run(axes, element, at, visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AXIS: Axis = Axis { size: 5, kernel: 3, stride: 2, dilation: 1, before: 1, after: 1, out: 3 };

    #[test]
    fn an_element_of_the_window_reaches_what_is_inside() {
        assert_eq!(AXIS.reached(0), 1..3);
        assert_eq!(AXIS.reached(1), 0..3);
        assert_eq!(AXIS.reached(2), 0..2);
        let far = Axis { size: 1, kernel: 2, dilation: 9, before: 0, after: 9, out: 1, ..AXIS };
        assert!(far.reached(1).is_empty());
    }

    #[test]
    fn a_window_counts_what_is_inside_and_what_is_padding() {
        let counts: Vec<_> = (0..3).map(|place| (AXIS.inside(place), AXIS.inside_padded(place))).collect();
        assert_eq!(counts, [(2, 3), (3, 3), (2, 3)]);
        let ceil = Axis { kernel: 4, after: 0, ..AXIS };
        assert_eq!((ceil.inside(2), ceil.inside_padded(2)), (2, 2));
    }

    #[test]
    fn odd_padding_is_where_it_is_asked_for() {
        assert_eq!(halves(3, true), (1, 2));
        assert_eq!(halves(3, false), (2, 1));
    }

    #[test]
    fn each_place_meets_what_is_under_it() {
        let mut sums = [0; 3];
        each_element(&[AXIS], |element| {
            gather(&[AXIS], element, &[1, 2, 3, 4, 5], &mut sums, &|sum, value| *sum += value);
        });
        assert_eq!(sums, [3, 9, 9]);
        let mut spread = [0; 5];
        each_element(&[AXIS], |element| {
            scatter(&[AXIS], element, &[1, 10, 100], &mut spread, &|sum, value| *sum += value);
        });
        assert_eq!(spread, [1, 11, 10, 110, 100]);
    }
}
