//! DFT and STFT: discrete Fourier transforms, of a whole dimension or of frames of a signal.

use std::f64::consts::PI;

use burn_backend::Backend;

use super::{
    super::{
        DType, Tensor, TensorView,
        plan::{Args, Kernel, Reason},
    },
    Operator, Refusal, Spec, axis,
    broadcast::elements,
    cast::{of_f64, to_f64},
    pick::{around, ints},
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "DFT" => Operator { types, kernel: dft },
        "STFT" => Operator { types, kernel: stft },
        _ => return None,
    })
}

fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        DType::F32 if spec.flag("inverse", false)? && !spec.flag("onesided", false)? => {
            // The conformance cases hold numpy's noise to a tolerance that is narrower than it.
            Err(Refusal::unsupported(
                "the inverse in 32 bits, of which each library makes zeros with noise of its own",
            ))
        }
        dtype if dtype.is_float() => Ok(vec![dtype]),
        dtype => Err(Refusal::invalid(format!("it does not compute with {dtype}"))),
    }
}

/// A complex number: its real part, and its imaginary one.
type Complex = (f64, f64);

fn multiply((a, b): Complex, (c, d): Complex) -> Complex {
    (a * c - b * d, a * d + b * c)
}

/// The transform of sequences of one length.
struct Transform {
    /// The powers of the root of unity.
    roots: Vec<Complex>,
}

impl Transform {
    fn new(length: usize, inverse: bool) -> Transform {
        let turn = if inverse { 2.0 * PI } else { -2.0 * PI };
        let root = |power: usize| {
            let angle = turn * power as f64 / length as f64;
            (angle.cos(), angle.sin())
        };
        Transform { roots: (0..length).map(root).collect() }
    }

    fn of(&self, values: &[Complex]) -> Vec<Complex> {
        let mut out = vec![(0.0, 0.0); values.len()];
        self.part(values, 0, 1, &mut out, &mut Vec::new());
        out
    }

    /// Transforms every `step`-th value: in as many parts as the smallest prime factor of their number says, which are
    /// then put together.
    fn part(
        &self,
        values: &[Complex],
        first: usize,
        step: usize,
        out: &mut [Complex],
        column: &mut Vec<Complex>,
    ) {
        let length = out.len();
        let parts = smallest_factor(length);
        if parts <= 1 {
            out.iter_mut().for_each(|out| *out = values[first]);
            return;
        }
        let size = length / parts;
        for (part, out) in out.chunks_exact_mut(size).enumerate() {
            self.part(values, first + part * step, step * parts, out, column);
        }
        for index in 0..size {
            column.clear();
            column.extend((0..parts).map(|part| out[part * size + index]));
            for block in 0..parts {
                let frequency = block * size + index;
                let term = |(part, value): (usize, &Complex)| {
                    multiply(self.roots[(part * frequency % length) * step], *value)
                };
                let terms = column.iter().enumerate().map(term);
                out[frequency] = terms.fold((0.0, 0.0), |sum, term| (sum.0 + term.0, sum.1 + term.1));
            }
        }
    }
}

fn smallest_factor(number: usize) -> usize {
    (2..)
        .take_while(|factor| factor * factor <= number)
        .find(|factor| number.is_multiple_of(*factor))
        .unwrap_or(number)
}

/// A length given as an argument.
fn length<B: Backend>(args: &Args<'_, '_, B>, input: usize) -> Result<Option<usize>, Reason> {
    match args.has(input).then(|| args.view(input).and_then(ints)).transpose()?.as_deref() {
        None => Ok(None),
        Some([length]) if *length > 0 => Ok(usize::try_from(*length).ok()),
        Some(other) => Err(format!("{other:?} is no length")),
    }
}

/// What a transform gives of its frequencies.
#[derive(Clone, Copy, Debug)]
struct Sides {
    inverse: bool,
    /// Only the half that the other half follows from.
    one: bool,
}

fn dft<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let sides = Sides { inverse: spec.flag("inverse", false)?, one: spec.flag("onesided", false)? };
    // Since version 20 the axis is an input.
    let fixed = if spec.version() < 20 { Some(spec.int("axis", 1)?) } else { None };
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let at = match (fixed, args.has(2)) {
            (Some(at), _) => at,
            (None, false) => -2,
            (None, true) => match ints(args.view(2)?)?[..] {
                [at] => at,
                _ => return Err("its axis is not one number".to_owned()),
            },
        };
        let at = axis(at, view.shape().len())?;
        if at + 1 == view.shape().len() {
            return Err("its axis is that of the parts of complex numbers".to_owned());
        }
        let size = view.shape()[at];
        let whole = if sides.inverse && sides.one { size.saturating_sub(1).saturating_mul(2) } else { size };
        let length = length(args, 1)?.unwrap_or(whole);
        transformed(view, at, length, sides, limit)
    }))
}

/// The complex numbers of a tensor whose last dimension are their parts.
fn complex(view: TensorView<'_>) -> Result<Vec<Complex>, Reason> {
    let data = to_f64(view)?;
    match view.shape().last() {
        Some(1) => Ok(data.into_iter().map(|real| (real, 0.0)).collect()),
        Some(2) => Ok(data.as_chunks().0.iter().map(|[real, imaginary]| (*real, *imaginary)).collect()),
        _ => Err(format!("shape {:?} is not that of complex numbers", view.shape())),
    }
}

fn transformed(
    view: TensorView<'_>,
    at: usize,
    length: usize,
    sides: Sides,
    limit: usize,
) -> Result<Tensor, Reason> {
    let values = complex(view)?;
    let mut shape = view.shape().to_vec();
    let parts = shape.pop();
    let (before, along, after) = around(&shape, at);
    let Sides { inverse, one } = sides;
    if one && inverse != (parts == Some(2)) {
        let given = if inverse { "complex" } else { "real" };
        return Err(format!("one side of a transform is that of {given} numbers"));
    }
    let kept = if one && !inverse { length / 2 + 1 } else { length };
    let real = one && inverse;
    shape[at] = kept;
    shape.push(if real { 1 } else { 2 });
    if length == 0 {
        return Err("a transform of nothing".to_owned());
    }
    // The transform works on all of its length, also where less is kept.
    elements(&[before, length, after, 2], limit)?;
    let transform = Transform::new(length, inverse);
    let scale = if inverse { 1.0 / length as f64 } else { 1.0 };
    let mut out = vec![(0.0, 0.0); before * kept * after];
    let mut line = Vec::with_capacity(length);
    for block in 0..before {
        for offset in 0..after {
            line.clear();
            line.extend((0..along.min(length)).map(|place| values[(block * along + place) * after + offset]));
            line.resize(length, (0.0, 0.0));
            if real {
                mirror(&mut line);
            }
            for (place, (re, im)) in transform.of(&line).into_iter().take(kept).enumerate() {
                out[(block * kept + place) * after + offset] = (re * scale, im * scale);
            }
        }
    }
    let numbers = if real {
        out.into_iter().map(|(real, _)| real).collect()
    } else {
        out.into_iter().flat_map(|(real, imaginary)| [real, imaginary]).collect()
    };
    Ok(Tensor { shape, data: of_f64(numbers, view.dtype())? })
}

/// Fills in the half of a spectrum that follows from the other, where the signal is real.
fn mirror(line: &mut [Complex]) {
    let length = line.len();
    for place in 0..length {
        let (real, imaginary) = line[place.min(length - place)];
        line[place] = match place {
            _ if place == 0 || 2 * place == length => (real, 0.0),
            _ if 2 * place < length => (real, imaginary),
            _ => (real, -imaginary),
        };
    }
}

fn stft<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let one = spec.flag("onesided", true)?;
    if spec.has(2) && spec.dtype(2)? != spec.dtype(0)? {
        return Err(Refusal::invalid("its window is not of the signal's type"));
    }
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let &[batch, size, parts] = view.shape() else {
            return Err(format!("shape {:?} is not that of a batch of signals", view.shape()));
        };
        let step = length(args, 1)?.ok_or("its step is missing")?;
        let window = if args.has(2) { Some(to_f64(args.view(2)?)?) } else { None };
        let whole = window.as_ref().map_or(size, Vec::len);
        let frame = length(args, 3)?.unwrap_or(whole);
        if frame == 0 || frame > size || window.as_ref().is_some_and(|window| window.len() != frame) {
            return Err(format!("frames of {frame} do not fit a signal of {size} and a window of {whole}"));
        }
        let frames = (size - frame) / step + 1;
        elements(&[batch, frames, frame, 2], limit)?;
        let signal = to_f64(view)?;
        let mut framed = Vec::with_capacity(batch * frames * frame * parts);
        for entry in 0..batch {
            for number in 0..frames {
                for place in 0..frame {
                    let weight = window.as_ref().map_or(1.0, |window| window[place]);
                    let start = (entry * size + number * step + place) * parts;
                    framed.extend(signal[start..start + parts].iter().map(|value| value * weight));
                }
            }
        }
        let framed = Tensor::new([batch, frames, frame, parts], of_f64(framed, DType::F64)?);
        let spectrum = transformed(framed.view(), 2, frame, Sides { inverse: false, one }, limit)?;
        super::cast::convert(spectrum, view.dtype())
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(values: &[Complex]) -> Vec<Complex> {
        let root = |power: usize| {
            let angle = -2.0 * PI * (power % values.len()) as f64 / values.len() as f64;
            (angle.cos(), angle.sin())
        };
        let sum = |frequency: usize| {
            let terms = values.iter().enumerate().map(|(at, value)| multiply(root(at * frequency), *value));
            terms.fold((0.0, 0.0), |sum, term| (sum.0 + term.0, sum.1 + term.1))
        };
        (0..values.len()).map(sum).collect()
    }

    proptest! {
        #[test]
        fn a_transform_in_parts_is_that_of_the_whole(
            values in proptest::collection::vec((-1.0..1.0, -1.0..1.0), 1..40),
        ) {
            let near = |(a, b): (&Complex, &Complex)| (a.0 - b.0).abs() < 1e-12 && (a.1 - b.1).abs() < 1e-12;
            let given = Transform::new(values.len(), false).of(&values);
            prop_assert!(given.iter().zip(&naive(&values)).all(near));
        }
    }

    #[test]
    fn a_real_signal_comes_back_from_one_side_of_its_spectrum() {
        let signal = Tensor::f32([5, 1], vec![1.0, 2.0, 0.0, -1.0, 4.0]);
        let there = transformed(signal.view(), 0, 5, Sides { inverse: false, one: true }, 100).unwrap();
        assert_eq!(there.shape, [3, 2]);
        let back = transformed(there.view(), 0, 5, Sides { inverse: true, one: true }, 100).unwrap();
        let near = to_f64(back.view()).unwrap().into_iter().zip([1.0, 2.0, 0.0, -1.0, 4.0]);
        assert!(near.into_iter().all(|(a, b)| (a - b).abs() < 1e-6));
    }
}
