//! A layer over whole sequences, in one direction or both.

use burn_backend::Backend;
use smallvec::{SmallVec, smallvec};

use super::{
    super::{
        super::{
            DType, Tensor,
            plan::{Args, Kernel, Reason},
        },
        Refusal, Spec,
        panel::Packed,
    },
    activation::Function,
    cell::{Functions, Kind, gru, lstm, rnn},
    shapes::Shapes,
    weights::{Direction, Weights},
};

/// A layer as its attributes describe it.
struct Layer {
    kind: Kind,
    directions: usize,
    /// Whether the first direction is from the end.
    reversed: bool,
    batch_first: bool,
    functions: Vec<Function>,
    clip: Option<f64>,
    limit: usize,
    packed: usize,
}

pub(super) fn layer<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let kind = match spec.op().name.as_str() {
        "RNN" => Kind::Rnn,
        "GRU" => Kind::Gru { linear_before_reset: spec.flag("linear_before_reset", false)? },
        _ => Kind::Lstm { coupled: spec.flag("input_forget", false)? },
    };
    let (directions, reversed) = match spec.text("direction", "forward")? {
        "forward" => (1, false),
        "reverse" => (1, true),
        "bidirectional" => (2, false),
        other => return Err(Refusal::invalid(format!("attribute `direction` is `{other}`"))),
    };
    // ONNX bounds the arguments of all functions, its runtime all but the cell's.
    if matches!(kind, Kind::Lstm { .. }) && spec.has_attribute("clip") {
        return Err(Refusal::unsupported(
            "attribute `clip`, on whose bound of the cell ONNX and its runtime differ",
        ));
    }
    let layer = Layer {
        kind,
        directions,
        reversed,
        batch_first: spec.flag("layout", false)?,
        functions: Function::listed(spec, kind.functions(), kind.functions().len() * directions)?,
        clip: if spec.has_attribute("clip") { Some(spec.float("clip", 0.0)?.into()) } else { None },
        limit: spec.limits().elements,
        packed: spec.packed_elements(),
    };
    match spec.dtype(0)? {
        DType::F64 => kernel::<f64, B>(spec, layer),
        _ => kernel::<f32, B>(spec, layer),
    }
}

fn kernel<T: Packed, B: Backend>(spec: &Spec<'_>, layer: Layer) -> Result<Kernel<B>, Refusal> {
    let packed = Weights::<T, B>::constant(spec, layer.kind, layer.directions).map_err(Refusal::Invalid)?;
    Ok(Kernel::host_many(move |args| match &packed {
        Some(weights) => layer.run(args, weights),
        None => layer.run(args, &Weights::<T, B>::given(args, layer.kind, layer.directions)?),
    }))
}

/// What a layer gives: the states of all steps, and the last state and cell.
struct Given<T> {
    output: Vec<T>,
    state: Vec<T>,
    cell: Vec<T>,
}

impl Layer {
    fn run<T: Packed, B: Backend>(
        &self,
        args: &Args<'_, '_, B>,
        weights: &Weights<T, B>,
    ) -> Result<SmallVec<[Tensor; 2]>, Reason> {
        let gates = self.kind.gates();
        let sizes = (self.directions, weights.hidden);
        let shapes = Shapes::new(args, (weights.columns, gates), sizes, self.batch_first, self.limit)?;
        let mut given = Given {
            output: vec![T::zero(); shapes.output().iter().product()],
            state: initial(args, 5, &shapes)?,
            cell: initial(args, 6, &shapes)?,
        };
        let lengths = lengths(args, &shapes)?;
        for (number, direction) in weights.directions.iter().enumerate() {
            self.direct(args, (&shapes, &lengths), number, direction, &mut given)?;
        }
        let state = |data| Tensor { shape: shapes.state(), data: T::data(data) };
        let output = Tensor { shape: shapes.output(), data: T::data(given.output) };
        Ok(smallvec![output, state(given.state), state(given.cell)])
    }

    /// Runs one direction. A sequence that has ended leaves zeros, and its state as it is.
    fn direct<T: Packed, B: Backend>(
        &self,
        args: &Args<'_, '_, B>,
        (shapes, lengths): (&Shapes, &[usize]),
        number: usize,
        weights: &Direction<T, B>,
        given: &mut Given<T>,
    ) -> Result<(), Reason> {
        let (hidden, count) = (shapes.hidden, self.kind.functions().len());
        let functions = Functions { list: &self.functions[number * count..][..count], clip: self.clip };
        let peepholes = args.optional::<T>(7)?.map(|all| &all[number * 3 * hidden..][..3 * hidden]);
        let inputs = weights.input.of(args, args.elements(0)?, shapes.steps * shapes.batch, self.packed)?;
        let width = self.kind.gates() * hidden;
        let place = |row: usize| {
            let start = shapes.state_row(number, row) * hidden;
            start..start + hidden
        };
        let mut states =
            (0..shapes.batch).flat_map(|row| given.state[place(row)].to_vec()).collect::<Vec<T>>();
        for step in 0..lengths.iter().copied().max().unwrap_or(0) {
            let mut gates = weights.state.of(args, &states, shapes.batch, self.packed)?;
            let stride = gates.len() / shapes.batch;
            for row in (0..shapes.batch).filter(|&row| step < lengths[row]) {
                let at = if self.reversed || number == 1 { lengths[row] - 1 - step } else { step };
                let input = &inputs[shapes.input_row(at, row) * width..][..width];
                let gates = &mut gates[row * stride..][..stride];
                let state = &mut states[row * hidden..][..hidden];
                match self.kind {
                    Kind::Rnn => rnn(functions, input, gates, state),
                    Kind::Gru { .. } => {
                        let reset = weights.reset.as_ref();
                        let multiply = reset.map(|reset| |state: &[T]| reset.of(args, state, 1, self.packed));
                        gru(functions, input, gates, state, multiply)?;
                    }
                    Kind::Lstm { coupled } => {
                        lstm(functions, coupled, input, gates, peepholes, state, &mut given.cell[place(row)]);
                    }
                }
                let target = shapes.output_row(at, number, row) * hidden;
                given.output[target..][..hidden].copy_from_slice(state);
            }
        }
        for row in 0..shapes.batch {
            given.state[place(row)].copy_from_slice(&states[row * hidden..][..hidden]);
        }
        Ok(())
    }
}

/// The state that an argument gives, or zeros.
fn initial<T: Packed, B: Backend>(
    args: &Args<'_, '_, B>,
    index: usize,
    shapes: &Shapes,
) -> Result<Vec<T>, Reason> {
    let given = args.optional::<T>(index)?.map(<[T]>::to_vec);
    Ok(given.unwrap_or_else(|| vec![T::zero(); shapes.state().iter().product()]))
}

/// Steps of each sequence.
fn lengths<B: Backend>(args: &Args<'_, '_, B>, shapes: &Shapes) -> Result<Vec<usize>, Reason> {
    let length = |&length: &i32| {
        let steps = usize::try_from(length).ok().filter(|&steps| steps <= shapes.steps);
        steps.ok_or_else(|| format!("a sequence has {length} of {} steps", shapes.steps))
    };
    match args.optional::<i32>(4)? {
        Some(lengths) => lengths.iter().map(length).collect(),
        None => Ok(vec![shapes.steps; shapes.batch]),
    }
}
