//! Linear attention: a matrix from keys to values that each step changes, and each query reads.

use burn_backend::Backend;
use smallvec::{SmallVec, smallvec};

use super::{
    super::{
        super::{
            DType, Tensor,
            plan::{Args, Kernel, Reason},
        },
        Refusal, Spec,
        broadcast::elements,
        float::{Float, shared_float},
    },
    dot::heads,
    heads::Heads,
};

struct Linear {
    heads: usize,
    of_keys: usize,
    /// Whether the state decays with each step.
    gated: bool,
    /// Whether a step corrects what the state holds for its key, instead of adding to it.
    delta: bool,
    scale: Option<f64>,
    limit: usize,
}

pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    if spec.mixes_halves() {
        return Err(Refusal::unsupported("a state of another type than the queries"));
    }
    match shared_float(spec)? {
        DType::F32 => Ok(vec![DType::F32; 2]),
        dtype => Err(Refusal::invalid(format!("it does not compute with {dtype}"))),
    }
}

pub(super) fn linear<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (gated, delta) = match spec.text("update_rule", "gated_delta")? {
        "linear" => (false, false),
        "gated" => (true, false),
        "delta" => (false, true),
        "gated_delta" => (true, true),
        other => return Err(Refusal::invalid(format!("attribute `update_rule` is `{other}`"))),
    };
    if spec.has(4) != gated || spec.has(5) != delta {
        return Err(Refusal::invalid("its decay and rate are not those that its `update_rule` takes"));
    }
    let of = |name| heads(spec, name)?.ok_or_else(|| Refusal::invalid(format!("it has no `{name}`")));
    let (heads, of_keys) = (of("q_num_heads")?, of("kv_num_heads")?);
    if !heads.is_multiple_of(of_keys) {
        return Err(Refusal::invalid(format!("{heads} heads do not share those of {of_keys} keys")));
    }
    let scale = Some(f64::from(spec.float("scale", 0.0)?)).filter(|&scale| scale != 0.0);
    let linear = Linear { heads, of_keys, gated, delta, scale, limit: spec.limits().elements };
    Ok(Kernel::host_many(move |args| linear.run::<f32, B>(args)))
}

impl Linear {
    fn run<T: Float, B: Backend>(&self, args: &Args<'_, '_, B>) -> Result<SmallVec<[Tensor; 2]>, Reason> {
        let steps = self.steps::<T, B>(args)?;
        let [batch, heads, length, size] = steps.queries.shape();
        let width = steps.values.size;
        let shape = vec![batch, self.of_keys, size, width];
        elements(&shape, self.limit)?;
        let mut state = match args.optional::<T>(3)? {
            Some(_) if args.shape(3)?[..] != shape => {
                return Err(format!("a state of shape {:?} is not {shape:?}", args.shape(3)?));
            }
            Some(state) => state.to_vec(),
            None => vec![T::zero(); shape.iter().product()],
        };
        let count = elements(&[batch, heads, length, width], self.limit)?;
        let mut output = Heads { batch, heads, length, size: width, data: vec![T::zero(); count] };
        let scale = T::nearest(self.scale.unwrap_or_else(|| (size as f64).sqrt().recip()));
        let shared = heads / self.of_keys;
        for (number, state) in state.chunks_exact_mut((size * width).max(1)).enumerate() {
            let (batch, of_keys) = (number / self.of_keys, number % self.of_keys);
            for step in 0..length {
                steps.change(state, batch, of_keys, step);
                for head in of_keys * shared..(of_keys + 1) * shared {
                    let query = steps.queries.row(batch, head, step);
                    let read = read(state, query, width);
                    let target =
                        &mut output.data[((batch * heads + head) * length + step) * width..][..width];
                    target.iter_mut().zip(read).for_each(|(target, read)| *target = scale * read);
                }
            }
        }
        Ok(smallvec![output.tensor(true), Tensor { shape, data: T::data(state) }])
    }

    fn steps<T: Float, B: Backend>(&self, args: &Args<'_, '_, B>) -> Result<Steps<T>, Reason> {
        let of =
            |index: usize, heads| Heads::<T>::new(&args.shape(index)?, args.elements(index)?, Some(heads));
        let (queries, keys, values) = (of(0, self.heads)?, of(1, self.of_keys)?, of(2, self.of_keys)?);
        let [batch, _, length, size] = queries.shape();
        if keys.shape() != [batch, self.of_keys, length, size] || values.shape()[..3] != keys.shape()[..3] {
            let shapes = (queries.shape(), keys.shape(), values.shape());
            return Err(format!("queries, keys and values of shapes {shapes:?} do not fit each other"));
        }
        let decay = if self.gated { Some(of(4, self.of_keys)?) } else { None };
        let rate = match self.delta {
            // One rate may be that of all heads.
            true if args.shape(5)?.last() == Some(&1) => Some(of(5, 1)?),
            true => Some(of(5, self.of_keys)?),
            false => None,
        };
        for (rates, sizes) in [(&decay, [1, size]), (&rate, [1, 1])] {
            if let Some(rates) = rates
                && ([rates.batch, rates.length] != [batch, length] || !sizes.contains(&rates.size))
            {
                return Err(format!(
                    "rates of shape {:?} do not fit keys of {:?}",
                    rates.shape(),
                    keys.shape()
                ));
            }
        }
        Ok(Steps { queries, keys, values, decay, rate })
    }
}

/// What all steps bring.
struct Steps<T> {
    queries: Heads<T>,
    keys: Heads<T>,
    values: Heads<T>,
    /// By whose exponentials the state is multiplied, in whole or for each number of the keys.
    decay: Option<Heads<T>>,
    /// How much of what is missing in the state for a key is added to it.
    rate: Option<Heads<T>>,
}

impl<T: Float> Steps<T> {
    /// Changes the state, a row for each number of the keys.
    fn change(&self, state: &mut [T], batch: usize, head: usize, step: usize) {
        let (key, value) = (self.keys.row(batch, head, step), self.values.row(batch, head, step));
        let width = value.len();
        if let Some(decay) = &self.decay {
            let decay = decay.row(batch, head, step);
            for (row, &decay) in state.chunks_exact_mut(width.max(1)).zip(decay.iter().cycle()) {
                let kept = decay.exp();
                row.iter_mut().for_each(|number| *number = *number * kept);
            }
        }
        let mut added = value.to_vec();
        if let Some(rate) = &self.rate {
            let rate = rate.row(batch, head % rate.heads, step)[0];
            let held = read(state, key, width);
            added.iter_mut().zip(held).for_each(|(value, held)| *value = rate * (*value - held));
        }
        for (row, &key) in state.chunks_exact_mut(width.max(1)).zip(key) {
            row.iter_mut().zip(&added).for_each(|(number, &value)| *number = *number + key * value);
        }
    }
}

/// What the state holds for a key.
fn read<T: Float>(state: &[T], key: &[T], width: usize) -> Vec<T> {
    let mut sums = vec![T::zero(); width];
    for (row, &key) in state.chunks_exact(width.max(1)).zip(key) {
        sums.iter_mut().zip(row).for_each(|(sum, &number)| *sum = *sum + key * number);
    }
    sums
}
