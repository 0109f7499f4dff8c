//! Scan: a graph executed for each slice of its inputs along a dimension, which hands on a state.

use burn_backend::Backend;
use smallvec::SmallVec;

use super::{
    super::{
        super::{
            DType, Data, Limits, Tensor, TensorView,
            graph::Type,
            plan::{Args, Kernel, Reason, Slot},
            tensor::{Element, each_view},
        },
        Refusal, Spec, axis,
        pick::{around, pick},
    },
    Inner, carried, declared, given,
    stack::Stack,
};

/// The version since which there is no batch and no input of lengths.
const WITHOUT_BATCH: i64 = 9;

/// The first input that is a state: before it, version 8 has the lengths of the sequences in the batch.
fn first(spec: &Spec<'_>) -> usize {
    usize::from(spec.version() < WITHOUT_BATCH)
}

pub(super) fn formals(spec: &Spec<'_>) -> Result<Vec<Type>, Refusal> {
    (first(spec)..spec.body("body")?.own).map(|input| spec.kind(input)).collect()
}

/// How many states and how many inputs it has.
fn parts(spec: &Spec<'_>) -> Result<(usize, usize), Refusal> {
    let both = spec.body("body")?.own.saturating_sub(first(spec));
    let inputs = usize::try_from(spec.int("num_scan_inputs", 0)?).unwrap_or(0);
    match both.checked_sub(inputs) {
        Some(states) if inputs > 0 => Ok((states, inputs)),
        _ => Err(Refusal::invalid(format!("it does not scan {inputs} of {both} inputs"))),
    }
}

pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    if first(spec) == 1 && spec.has(0) {
        return Err(Refusal::unsupported("sequences of different lengths"));
    }
    let (states, inputs) = parts(spec)?;
    let body = spec.body("body")?;
    let types = given(body, states + inputs)?;
    if types.len() < states {
        return Err(Refusal::invalid("its graph does not give the state"));
    }
    carried(body, 0, &types[..states])?;
    Ok(types)
}

/// One of a list for each input or output; none where the list is missing.
fn listed(spec: &Spec<'_>, name: &str, count: usize) -> Result<Vec<i64>, Refusal> {
    match spec.ints(name)? {
        None => Ok(vec![0; count]),
        Some(list) if list.len() == count => Ok(list.to_vec()),
        Some(list) => Err(Refusal::invalid(format!("its `{name}` has {} entries, not {count}", list.len()))),
    }
}

/// For each input or output whether it is gone through from its end.
fn directions(spec: &Spec<'_>, name: &str, count: usize) -> Result<Vec<bool>, Refusal> {
    Ok(listed(spec, name, count)?.into_iter().map(|direction| direction != 0).collect())
}

pub(super) fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (states, inputs) = parts(spec)?;
    let types = types(spec)?;
    let outputs = types.len() - states;
    let batched = first(spec) == 1;
    let backwards = if batched { "directions" } else { "scan_input_directions" };
    let shapes = spec.body("body")?.graph.outputs.iter().map(|output| declared(&output.shape));
    let scan = Scan {
        inner: Inner::new(spec, "body")?,
        first: first(spec),
        states,
        inputs: listed(spec, "scan_input_axes", inputs)?
            .into_iter()
            .zip(directions(spec, backwards, inputs)?)
            .collect(),
        outputs: listed(spec, "scan_output_axes", outputs)?
            .into_iter()
            .zip(directions(spec, "scan_output_directions", outputs)?)
            .collect(),
        given: types.into_iter().zip(shapes).collect(),
        limits: *spec.limits(),
    };
    Ok(Kernel::host_many(move |args| {
        let tensors = if batched { scan.batch(args) } else { scan.single(args) };
        tensors.map(SmallVec::from_vec)
    }))
}

struct Scan<B: Backend> {
    inner: Inner<B>,
    first: usize,
    states: usize,
    /// For each input and output the dimension, and whether it is gone through from its end.
    inputs: Vec<(i64, bool)>,
    outputs: Vec<(i64, bool)>,
    /// The type of each result, and the shape that a round's is declared to have.
    given: Vec<(DType, Vec<usize>)>,
    limits: Limits,
}

impl<B: Backend> Scan<B> {
    fn single(&self, args: &mut Args<'_, '_, B>) -> Result<Vec<Tensor>, Reason> {
        let states = (0..self.states).map(|input| args.take(input)).collect::<Result<_, _>>()?;
        let input = |input: usize| args.view(self.states + input);
        let inputs = (0..self.inputs.len()).map(input).collect::<Result<Vec<_>, _>>()?;
        self.sequence(args, states, &inputs)
    }

    /// Each entry of the batch by itself; the batch is the first dimension of everything.
    fn batch(&self, args: &mut Args<'_, '_, B>) -> Result<Vec<Tensor>, Reason> {
        let view = |input: usize| args.view(self.first + input);
        let views = (0..self.states + self.inputs.len()).map(view).collect::<Result<Vec<_>, _>>()?;
        let sizes = views.iter().map(|view| view.shape().first().copied()).collect::<Option<Vec<_>>>();
        let size = match sizes.as_deref() {
            Some([size, rest @ ..]) if rest.iter().all(|other| other == size) => *size,
            _ => return Err("its inputs are not of one batch".to_owned()),
        };
        let mut stacks: Vec<Stack> =
            self.given.iter().map(|(dtype, _)| Stack::new(Data::empty(*dtype), self.limits)).collect();
        for entry in 0..size {
            let mut entries: Vec<Tensor> = views.iter().map(|view| slice(*view, 0, entry)).collect();
            let inputs = entries.split_off(self.states);
            let inputs: Vec<TensorView<'_>> = inputs.iter().map(Tensor::view).collect();
            for (stack, tensor) in stacks.iter_mut().zip(self.sequence(args, entries, &inputs)?) {
                stack.push(&tensor)?;
            }
        }
        let finish = |(stack, (_, shape)): (Stack, &(DType, Vec<usize>))| stack.finish(0, false, shape);
        stacks.into_iter().zip(&self.given).map(finish).collect()
    }

    /// Goes through one sequence.
    fn sequence(
        &self,
        args: &Args<'_, '_, B>,
        mut states: Vec<Tensor>,
        inputs: &[TensorView<'_>],
    ) -> Result<Vec<Tensor>, Reason> {
        let mut axes = Vec::with_capacity(inputs.len());
        for (view, (at, _)) in inputs.iter().zip(&self.inputs) {
            axes.push(axis(*at, view.shape().len())?);
        }
        let length = |(view, at): (&TensorView<'_>, &usize)| view.shape()[*at];
        let lengths: Vec<usize> = inputs.iter().zip(&axes).map(length).collect();
        let &[length, ref rest @ ..] = &lengths[..] else { return Err("it scans nothing".to_owned()) };
        if rest.iter().any(|other| *other != length) {
            return Err(format!("its inputs are of different lengths: {lengths:?}"));
        }
        let collected = &self.given[self.states..];
        let mut stacks: Vec<Stack> =
            collected.iter().map(|(dtype, _)| Stack::new(Data::empty(*dtype), self.limits)).collect();
        for round in 0..length {
            args.round(self.limits.steps)?;
            let slices = inputs.iter().zip(&axes).zip(&self.inputs).map(|((view, at), (_, backwards))| {
                slice(*view, *at, if *backwards { length - 1 - round } else { round })
            });
            let given = std::mem::take(&mut states).into_iter().chain(slices).map(Slot::Host);
            let mut outputs = self.inner.run(args, given)?.into_iter();
            states.extend(outputs.by_ref().take(self.states));
            for (stack, tensor) in stacks.iter_mut().zip(outputs) {
                stack.push(&tensor)?;
            }
        }
        for ((stack, (_, shape)), (at, backwards)) in stacks.into_iter().zip(collected).zip(&self.outputs) {
            states.push(stack.finish(*at, *backwards, shape)?);
        }
        Ok(states)
    }
}

/// What is at one place of a dimension, without that dimension.
fn slice(view: TensorView<'_>, at: usize, place: usize) -> Tensor {
    let mut shape = view.shape().to_vec();
    let data = each_view!(view, data => Element::data(pick(data, around(&shape, at), &[place])));
    shape.remove(at);
    Tensor { shape, data }
}
