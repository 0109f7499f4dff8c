//! Loop: a graph executed again and again, as often as it is asked to or as long as its condition holds.

use burn_backend::Backend;
use smallvec::SmallVec;

use super::{
    super::{
        super::{
            DType, Data, Limits, Tensor, TensorView,
            graph::{Body, Type},
            plan::{Args, Kernel, Reason, Slot},
        },
        Refusal, Spec,
    },
    Inner, carried, declared, given,
    stack::Stack,
};

/// Inputs before the values that are carried: how often, and the first condition.
const FIRST: usize = 2;

pub(super) fn formals(spec: &Spec<'_>) -> Result<Vec<Type>, Refusal> {
    let counters = [DType::I64, DType::Bool].map(|dtype| Ok(Type::Tensor(dtype)));
    let carried = (FIRST..spec.body("body")?.own).map(|input| spec.kind(input));
    counters.into_iter().chain(carried).collect()
}

pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let body = spec.body("body")?;
    for (input, dtype) in [(0, DType::I64), (1, DType::Bool)] {
        if has_own(spec, body, input) && spec.dtype(input)? != dtype {
            return Err(Refusal::invalid(format!("input {input} is not {dtype}")));
        }
    }
    let count = body.own.saturating_sub(FIRST);
    let types = given(body, FIRST + count)?;
    match types.split_first() {
        Some((DType::Bool, types)) if types.len() >= count => {
            carried(body, FIRST, &types[..count])?;
            Ok(types.to_vec())
        }
        _ => Err(Refusal::invalid("its graph does not give a condition and what it carries")),
    }
}

/// Whether one of the node's own inputs is given.
fn has_own(spec: &Spec<'_>, body: &Body, input: usize) -> bool {
    input < body.own && spec.has(input)
}

/// Whether a round always gives the condition that it is given, or true.
fn goes_on(body: &Body) -> bool {
    let (Some((condition, _)), Some(next)) = (body.graph.inputs.get(1), body.graph.outputs.first()) else {
        return false;
    };
    let constant = body.graph.constant(next.value).map(|tensor| &tensor.data);
    next.value == *condition || matches!(constant, Some(Data::Bool(next)) if next[..] == [true])
}

pub(super) fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let body = spec.body("body")?;
    let has_condition = has_own(spec, body, 1);
    // The specification ignores what the rounds say then; the runtimes that there are do not.
    if !has_condition && !goes_on(body) {
        return Err(Refusal::unsupported("its rounds give a condition, and none is given to the first"));
    }
    let outputs = &body.graph.outputs;
    let count = body.own.saturating_sub(FIRST);
    let collected = outputs.iter().skip(1 + count).zip(types(spec)?.into_iter().skip(count));
    let repeat = Repeat {
        inner: Inner::new(spec, "body")?,
        has_count: has_own(spec, body, 0),
        has_condition,
        carried: count,
        collected: collected.map(|(output, dtype)| (dtype, declared(&output.shape))).collect(),
        limits: *spec.limits(),
    };
    Ok(Kernel::host_many(move |args| repeat.run(args).map(SmallVec::from_vec)))
}

struct Repeat<B: Backend> {
    inner: Inner<B>,
    has_count: bool,
    has_condition: bool,
    carried: usize,
    /// What the rounds give to be collected: the type, and the shape that is declared.
    collected: Vec<(DType, Vec<usize>)>,
    limits: Limits,
}

impl<B: Backend> Repeat<B> {
    fn run(&self, args: &mut Args<'_, '_, B>) -> Result<Vec<Tensor>, Reason> {
        let most = if self.has_count { *one(args.i64(0)?, "number of rounds")? } else { i64::MAX };
        let mut condition = !self.has_condition || condition(args.view(1)?)?;
        let mut carried =
            (FIRST..FIRST + self.carried).map(|input| args.take(input)).collect::<Result<Vec<_>, _>>()?;
        let mut stacks: Vec<Stack> =
            self.collected.iter().map(|(dtype, _)| Stack::new(Data::empty(*dtype), self.limits)).collect();
        let mut round = 0;
        while round < most && condition {
            args.round(self.limits.steps)?;
            let counters = [Tensor::i64([], vec![round]), Tensor::new([], Data::Bool(vec![condition]))];
            let given = counters.into_iter().chain(std::mem::take(&mut carried)).map(Slot::Host);
            let mut outputs = self.inner.run(args, given)?.into_iter();
            condition = self::condition(outputs.next().ok_or("a round gave no condition")?.view())?;
            carried.extend(outputs.by_ref().take(self.carried));
            for (stack, tensor) in stacks.iter_mut().zip(outputs) {
                stack.push(&tensor)?;
            }
            round += 1;
        }
        for (stack, (_, shape)) in stacks.into_iter().zip(&self.collected) {
            carried.push(stack.finish(0, false, shape)?);
        }
        Ok(carried)
    }
}

fn one<'v, T>(data: &'v [T], what: &str) -> Result<&'v T, Reason> {
    match data {
        [one] => Ok(one),
        _ => Err(format!("its {what} is not one element")),
    }
}

fn condition(view: TensorView<'_>) -> Result<bool, Reason> {
    match view {
        TensorView::Bool { data, .. } => one(data, "condition").copied(),
        other => Err(format!("its condition is {}", other.dtype())),
    }
}
