//! Rotary embedding: pairs of numbers, turned by an angle that depends on their place.

use burn_backend::Backend;

use super::{
    super::{
        super::{
            DType, Tensor,
            plan::{Args, Kernel, Reason},
        },
        Refusal, Spec,
        float::Float,
    },
    dot::heads,
    heads::Heads,
};

struct Rotary {
    heads: Option<usize>,
    /// Numbers of a row that are turned; all if 0.
    turned: usize,
    /// Whether the numbers of a pair are neighbours, instead of half a row apart.
    interleaved: bool,
}

/// Input 3 holds places.
pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let dtype = spec.dtype(0)?;
    if !dtype.is_float() {
        return Err(Refusal::invalid(format!("it does not compute with {dtype}")));
    }
    let places = !spec.has(3) || spec.dtype(3)? == DType::I64;
    if spec.dtype(1)? != dtype || spec.dtype(2)? != dtype || !places {
        return Err(Refusal::invalid("its angles or places are of other types than it takes"));
    }
    Ok(vec![dtype])
}

pub(super) fn rotary<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let turned = spec.int("rotary_embedding_dim", 0)?;
    let rotary = Rotary {
        heads: heads(spec, "num_heads")?,
        turned: usize::try_from(turned)
            .map_err(|_| Refusal::invalid(format!("attribute `rotary_embedding_dim` is {turned}")))?,
        interleaved: spec.flag("interleaved", false)?,
    };
    Ok(Kernel::host(move |args| match args.dtype(0)? {
        DType::F64 => rotary.turn::<f64, B>(args),
        _ => rotary.turn::<f32, B>(args),
    }))
}

impl Rotary {
    fn turn<T: Float, B: Backend>(&self, args: &Args<'_, '_, B>) -> Result<Tensor, Reason> {
        let shape = args.shape(0)?;
        let mut rows = Heads::<T>::new(&shape, args.elements(0)?, self.heads)?;
        let turned = if self.turned == 0 { rows.size } else { self.turned };
        if turned > rows.size || !turned.is_multiple_of(2) {
            return Err(format!("{turned} of {} numbers are no pairs", rows.size));
        }
        let half = turned / 2;
        let angles = Angles::new(args, &rows, half)?;
        let (heads, length) = (rows.heads, rows.length);
        for (number, row) in rows.data.chunks_exact_mut(rows.size.max(1)).enumerate() {
            let (batch, step) = (number / length / heads, number % length);
            let (cos, sin) = angles.of(batch, step)?;
            for (pair, (&cos, &sin)) in cos.iter().zip(sin).enumerate() {
                let (first, second) =
                    if self.interleaved { (2 * pair, 2 * pair + 1) } else { (pair, pair + half) };
                let (x, y) = (row[first], row[second]);
                row[first] = cos * x - sin * y;
                row[second] = sin * x + cos * y;
            }
        }
        Ok(rows.tensor(shape.len() == 3))
    }
}

/// The cosines and sines of `half` angles for each place.
struct Angles<'a, T> {
    cos: &'a [T],
    sin: &'a [T],
    half: usize,
    /// Steps of a batch.
    length: usize,
    /// The place of each step in the tables, which otherwise have a row for each.
    places: Option<&'a [i64]>,
}

impl<'a, T: Float> Angles<'a, T> {
    fn new<B: Backend>(args: &'a Args<'_, '_, B>, rows: &Heads<T>, half: usize) -> Result<Self, Reason> {
        let (cos, sin) = (args.shape(1)?, args.shape(2)?);
        let steps = [rows.batch, rows.length];
        let fits = match args.has(3) {
            true => cos.len() == 2 && cos[1] == half && args.shape(3)?[..] == steps,
            false => cos[..] == [rows.batch, rows.length, half],
        };
        if cos != sin || !fits {
            return Err(format!("angles of shape {cos:?} and {sin:?} are not {half} for each of {steps:?}"));
        }
        let places = args.optional(3)?;
        Ok(Angles { cos: args.elements(1)?, sin: args.elements(2)?, half, length: rows.length, places })
    }

    fn of(&self, batch: usize, step: usize) -> Result<(&'a [T], &'a [T]), Reason> {
        let number = batch * self.length + step;
        let row = match self.places {
            None => Some(number),
            Some(places) => usize::try_from(places[number]).ok(),
        };
        let start = row.and_then(|row| row.checked_mul(self.half));
        let range = start.and_then(|start| Some(start..start.checked_add(self.half)?));
        let pair = range.and_then(|range| Some((self.cos.get(range.clone())?, self.sin.get(range)?)));
        pair.ok_or_else(|| format!("step {step} of batch {batch} is at a place without angles"))
    }
}
