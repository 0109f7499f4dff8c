//! Attention by scaled products of queries and keys.

use burn_backend::Backend;
use smallvec::{SmallVec, smallvec};

use super::{
    super::{
        super::{
            DType, Tensor,
            plan::{Args, Kernel, Reason, download},
        },
        Refusal, Spec,
        broadcast::elements,
        float::Float,
        softmax::{softmax_f32, softmax_f64},
    },
    heads::Heads,
    mask::{Bounds, Mask, lay},
};

/// What is given of the scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Product,
    Capped,
    Masked,
    Weights,
}

struct Attention {
    /// Heads of the queries and of the keys, where they are packed.
    heads: Option<usize>,
    of_keys: Option<usize>,
    scale: Option<f64>,
    cap: f64,
    bounds: Bounds,
    /// What is read of the scores.
    gives: Option<Mode>,
    /// Whether the keys and values are read.
    gives_present: bool,
    /// Whether weights are computed in 64 bits also for narrower floats.
    is_wide: bool,
    limit: usize,
}

/// Input 6 holds numbers of keys, and input 3 may be a mask of bools.
pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let dtype = spec.dtype(0)?;
    if !dtype.is_float() {
        return Err(Refusal::invalid(format!("it does not compute with {dtype}")));
    }
    if spec.mixes_halves() {
        return Err(Refusal::unsupported("values of another type than the queries"));
    }
    for input in (1..spec.inputs()).filter(|&input| spec.has(input)) {
        let given = spec.dtype(input)?;
        let fits = match input {
            3 => given == dtype || given == DType::Bool,
            6 => given == DType::I64,
            _ => given == dtype,
        };
        if !fits {
            return Err(Refusal::unsupported(format!("input {input} of {given} beside queries of {dtype}")));
        }
    }
    if spec.has(4) != spec.has(5) || (spec.has(4) && spec.has(6)) {
        return Err(Refusal::invalid(
            "it has keys of the past without their values, or counts what is no padding too",
        ));
    }
    Ok(vec![dtype; 4])
}

/// A number of heads.
pub(super) fn heads(spec: &Spec<'_>, name: &str) -> Result<Option<usize>, Refusal> {
    match (spec.has_attribute(name), spec.int(name, 0)?) {
        (false, _) => Ok(None),
        (true, heads) => match usize::try_from(heads) {
            Ok(heads) if heads > 0 => Ok(Some(heads)),
            _ => Err(Refusal::invalid(format!("attribute `{name}` is {heads}"))),
        },
    }
}

fn window(spec: &Spec<'_>, name: &str) -> Result<Option<usize>, Refusal> {
    match spec.int(name, -1)? {
        -1 => Ok(None),
        size => match usize::try_from(size) {
            Ok(size) => Ok(Some(size)),
            Err(_) => Err(Refusal::invalid(format!("attribute `{name}` is {size}"))),
        },
    }
}

pub(super) fn attention<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let mode = match spec.int("qk_matmul_output_mode", 0)? {
        0 => Mode::Product,
        1 => Mode::Capped,
        2 => Mode::Masked,
        3 => Mode::Weights,
        other => return Err(Refusal::invalid(format!("attribute `qk_matmul_output_mode` is {other}"))),
    };
    let bounds = Bounds {
        is_causal: spec.flag("is_causal", false)?,
        left: window(spec, "left_window_size")?,
        right: window(spec, "right_window_size")?,
    };
    let attention = Attention {
        heads: heads(spec, "q_num_heads")?,
        of_keys: heads(spec, "kv_num_heads")?,
        cap: spec.float("softcap", 0.0)?.into(),
        bounds,
        gives: spec.gives(3).then_some(mode),
        gives_present: (1..4).any(|output| spec.gives(output)),
        ..Attention::plain(spec)?
    };
    attention.kernel(spec)
}

/// Attention without masks, whose scores and weights graphs may change.
pub(super) fn flex<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    if let Some(graph) = ["score_mod", "prob_mod"].into_iter().find(|name| spec.has_attribute(name)) {
        return Err(Refusal::unsupported(format!("its `{graph}`")));
    }
    Attention::plain(spec)?.kernel(spec)
}

type Softmax<T> = fn(&mut [T], bool);

impl Attention {
    /// What every kind has.
    fn plain(spec: &Spec<'_>) -> Result<Attention, Refusal> {
        Ok(Attention {
            heads: None,
            of_keys: None,
            scale: if spec.has_attribute("scale") { Some(spec.float("scale", 1.0)?.into()) } else { None },
            cap: 0.0,
            bounds: Bounds { is_causal: false, left: None, right: None },
            gives: None,
            gives_present: false,
            is_wide: spec.int("softmax_precision", 1)? == 11,
            limit: spec.limits().elements,
        })
    }

    fn kernel<B: Backend>(self, spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
        let wide = spec.dtype(0)? == DType::F64;
        Ok(Kernel::host_many(move |args| match wide {
            true => self.run::<f64, B>(args, softmax_f64),
            false => self.run::<f32, B>(args, softmax_f32),
        }))
    }

    fn run<T: Float, B: Backend>(
        &self,
        args: &Args<'_, '_, B>,
        softmax: Softmax<T>,
    ) -> Result<SmallVec<[Tensor; 2]>, Reason> {
        let of = |index: usize, heads| Heads::<T>::new(&args.shape(index)?, args.elements(index)?, heads);
        let packed = args.shape(0)?.len() == 3;
        let queries = of(0, self.heads)?;
        let (mut keys, mut values) = (of(1, self.of_keys)?, of(2, self.of_keys)?);
        let mut past = 0;
        if args.has(4) {
            let cached = of(4, None)?;
            past = cached.length;
            keys = cached.followed_by(&keys)?;
            values = of(5, None)?.followed_by(&values)?;
        }
        elements(&keys.shape(), self.limit)?;
        elements(&values.shape(), self.limit)?;
        let (weights, given) = self.weights(args, queries, &keys, past, softmax)?;
        let output = weighted(args, weights, &values, self.limit)?;
        let mut outputs = smallvec![output.tensor(packed)];
        if self.gives_present {
            outputs.push(keys.tensor(false));
            outputs.push(values.tensor(false));
        }
        outputs.extend(given.map(|scores| scores.tensor(false)));
        Ok(outputs)
    }

    /// The weights of all keys for each query, and what is given of the scores.
    fn weights<T: Float, B: Backend>(
        &self,
        args: &Args<'_, '_, B>,
        queries: Heads<T>,
        keys: &Heads<T>,
        past: usize,
        softmax: Softmax<T>,
    ) -> Result<(Heads<T>, Option<Heads<T>>), Reason> {
        let scale = T::nearest(self.scale.unwrap_or_else(|| (queries.size as f64).sqrt().recip()));
        let mut scores = products(args, queries, keys, self.limit)?;
        let mut given = None;
        let mut give = |mode: Mode, scores: &Heads<T>| {
            if self.gives == Some(mode) {
                given = Some(scores.clone());
            }
        };
        scores.data.iter_mut().for_each(|score| *score = *score * scale);
        give(Mode::Product, &scores);
        if self.cap > 0.0 {
            let cap = T::nearest(self.cap);
            scores.data.iter_mut().for_each(|score| *score = cap * (*score / cap).tanh());
        }
        give(Mode::Capped, &scores);
        let unseeing = self.mask(args, &mut scores, past)?;
        give(Mode::Masked, &scores);
        for row in scores.data.chunks_exact_mut(scores.size.max(1)) {
            if self.is_wide {
                in_64_bits(row);
            } else {
                softmax(row, false);
            }
        }
        for row in unseeing {
            scores.data[row * scores.size..][..scores.size].fill(T::zero());
        }
        give(Mode::Weights, &scores);
        Ok((scores, given))
    }

    /// Keeps each query from the keys that it does not see; the queries that see none.
    fn mask<T: Float, B: Backend>(
        &self,
        args: &Args<'_, '_, B>,
        scores: &mut Heads<T>,
        past: usize,
    ) -> Result<Vec<usize>, Reason> {
        let [batches, heads, rows, keys] = scores.shape();
        let mask = if args.has(3) { Some(Mask::new(args.view(3)?, scores.shape())?) } else { None };
        let counts = args.optional::<i64>(6)?;
        if counts.is_some_and(|counts| counts.len() != batches) {
            return Err(format!("its numbers of keys are not for {batches} batches"));
        }
        if mask.is_none() && counts.is_none() && self.bounds.are_open() {
            return Ok(Vec::new());
        }
        let mut unseeing = Vec::new();
        for (number, row) in scores.data.chunks_exact_mut(keys.max(1)).enumerate() {
            let query = [number / rows / heads, number / rows % heads, number % rows];
            let count = counts.map(|counts| counts[query[0]]);
            let offset = count.map_or(past as i64, |count| count.saturating_sub(rows as i64));
            let mut seen = self.bounds.seen(query[2], offset, keys);
            seen.end = seen.end.min(count.map_or(keys, |count| usize::try_from(count).unwrap_or(0)));
            if !lay(query, seen, mask.as_ref(), row) {
                unseeing.push(number);
            }
        }
        Ok(unseeing)
    }
}

fn in_64_bits<T: Float>(row: &mut [T]) {
    let mut wide: Vec<f64> = row.iter().map(|&score| score.into()).collect();
    softmax_f64(&mut wide, false);
    row.iter_mut().zip(wide).for_each(|(score, wide)| *score = T::nearest(wide));
}

/// The product of each query with each key. Queries of several heads may share those of one.
fn products<T: Float, B: Backend>(
    args: &Args<'_, '_, B>,
    queries: Heads<T>,
    keys: &Heads<T>,
    limit: usize,
) -> Result<Heads<T>, Reason> {
    let misfit = || format!("queries of shape {:?} do not fit keys of {:?}", queries.shape(), keys.shape());
    let Heads { batch, heads, length, size, .. } = queries;
    if batch != keys.batch || size != keys.size || keys.heads == 0 || !heads.is_multiple_of(keys.heads) {
        return Err(misfit());
    }
    let count = elements(&[batch, heads, length, keys.length], limit)?;
    let mut scores = Heads { batch, heads, length, size: keys.length, data: vec![T::zero(); count] };
    if count > 0 && size > 0 {
        let (groups, rows) = (batch * keys.heads, heads / keys.heads * length);
        let queries = args.upload(Tensor { shape: vec![groups, rows, size], data: T::data(queries.data) })?;
        let shape = vec![groups, keys.length, size];
        let keys = args.upload(Tensor { shape, data: T::data(keys.data.clone()) })?;
        let product = B::float_matmul(queries, B::float_swap_dims(keys, 1, 2));
        scores.data = T::owned(download::<B>(product)?.data)?;
    }
    Ok(scores)
}

/// The values, weighted for each query.
fn weighted<T: Float, B: Backend>(
    args: &Args<'_, '_, B>,
    weights: Heads<T>,
    values: &Heads<T>,
    limit: usize,
) -> Result<Heads<T>, Reason> {
    let Heads { batch, heads, length, size: keys, .. } = weights;
    let fits = values.batch == batch && values.length == keys && values.heads > 0;
    if !fits || !heads.is_multiple_of(values.heads) {
        return Err(format!("values of shape {:?} do not fit {:?} weights", values.shape(), weights.shape()));
    }
    let count = elements(&[batch, heads, length, values.size], limit)?;
    let mut output = Heads { batch, heads, length, size: values.size, data: vec![T::zero(); count] };
    if count > 0 && keys > 0 {
        let (groups, rows) = (batch * values.heads, heads / values.heads * length);
        let weights = args.upload(Tensor { shape: vec![groups, rows, keys], data: T::data(weights.data) })?;
        let shape = vec![groups, keys, values.size];
        let values = args.upload(Tensor { shape, data: T::data(values.data.clone()) })?;
        output.data = T::owned(download::<B>(B::float_matmul(weights, values))?.data)?;
    }
    Ok(output)
}
