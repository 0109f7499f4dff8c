//! One step of one row: from its gates to its next state.

use super::{
    super::{super::plan::Reason, float::Float},
    activation::Function,
};

/// What a layer does in each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rnn,
    /// With the reset applied to the state's product, or to the state before it is multiplied.
    Gru {
        linear_before_reset: bool,
    },
    /// With the forget gate as what the input gate leaves, or of its own.
    Lstm {
        coupled: bool,
    },
}

impl Kind {
    /// Gates, and weights for each.
    pub(super) fn gates(self) -> usize {
        match self {
            Kind::Rnn => 1,
            Kind::Gru { .. } => 3,
            Kind::Lstm { .. } => 4,
        }
    }

    /// The functions where none are named.
    pub(super) fn functions(self) -> &'static [Function] {
        match self {
            Kind::Rnn => &[Function::Tanh],
            Kind::Gru { .. } => &[Function::Sigmoid, Function::Tanh],
            Kind::Lstm { .. } => &[Function::Sigmoid, Function::Tanh, Function::Tanh],
        }
    }
}

/// The functions of one direction, with what bounds their arguments.
#[derive(Clone, Copy)]
pub(super) struct Functions<'f> {
    pub(super) list: &'f [Function],
    pub(super) clip: Option<f64>,
}

impl Functions<'_> {
    pub(super) fn apply<T: Float>(&self, number: usize, values: &mut [T]) {
        if let Some(clip) = self.clip.map(T::nearest) {
            for value in values.iter_mut() {
                if *value > clip {
                    *value = clip;
                } else if *value < -clip {
                    *value = -clip;
                }
            }
        }
        self.list[number].apply(values);
    }
}

/// Adds the input's share of the gates to the state's.
fn add<T: Float>(gates: &mut [T], input: &[T]) {
    gates.iter_mut().zip(input).for_each(|(gate, &input)| *gate = *gate + input);
}

/// The state `h`, of one gate.
pub(super) fn rnn<T: Float>(functions: Functions<'_>, input: &[T], gate: &mut [T], h: &mut [T]) {
    add(gate, input);
    functions.apply(0, gate);
    h.copy_from_slice(gate);
}

/// The state `h`, of the gates for update and reset and the candidate, one after another. What is reset is the
/// candidate's share of the state, or the state of which `multiply` then makes that share.
pub(super) fn gru<T: Float>(
    functions: Functions<'_>,
    input: &[T],
    gates: &mut [T],
    h: &mut [T],
    multiply: Option<impl FnOnce(&[T]) -> Result<Vec<T>, Reason>>,
) -> Result<(), Reason> {
    let (gates, share) = gates.split_at_mut(2 * h.len());
    let (of_gates, of_candidate) = input.split_at(2 * h.len());
    add(gates, of_gates);
    functions.apply(0, gates);
    let (update, reset) = gates.split_at(h.len());
    let kept =
        |values: &[T]| values.iter().zip(reset).map(|(&value, &reset)| value * reset).collect::<Vec<T>>();
    let mut candidate = match multiply {
        Some(multiply) => multiply(&kept(h))?,
        None => kept(share),
    };
    add(&mut candidate, of_candidate);
    functions.apply(1, &mut candidate);
    for ((h, &update), &candidate) in h.iter_mut().zip(update).zip(&candidate) {
        *h = (T::one() - update) * candidate + update * *h;
    }
    Ok(())
}

/// The state `h` and the cell `c`, of the gates for input, output, forgetting and the cell, one after another; the first
/// three may look at the cell.
pub(super) fn lstm<T: Float>(
    functions: Functions<'_>,
    coupled: bool,
    input: &[T],
    gates: &mut [T],
    peepholes: Option<&[T]>,
    h: &mut [T],
    c: &mut [T],
) {
    add(gates, input);
    let size = h.len();
    let (input, rest) = gates.split_at_mut(size);
    let (output, rest) = rest.split_at_mut(size);
    let (forget, cell) = rest.split_at_mut(size);
    let look = |gate: &mut [T], c: &[T], number: usize| {
        if let Some(peepholes) = peepholes {
            let weights = &peepholes[number * size..][..size];
            for ((value, &weight), &c) in gate.iter_mut().zip(weights).zip(c) {
                *value = *value + weight * c;
            }
        }
    };
    look(input, c, 0);
    functions.apply(0, input);
    if coupled {
        forget.iter_mut().zip(input.iter()).for_each(|(forget, &input)| *forget = T::one() - input);
    } else {
        look(forget, c, 2);
        functions.apply(0, forget);
    }
    functions.apply(1, cell);
    for (((c, &forget), &input), &cell) in c.iter_mut().zip(forget.iter()).zip(input.iter()).zip(cell.iter())
    {
        *c = forget * *c + input * cell;
    }
    look(output, c, 1);
    functions.apply(0, output);
    h.copy_from_slice(c);
    functions.apply(2, h);
    h.iter_mut().zip(output.iter()).for_each(|(h, &output)| *h = *h * output);
}
