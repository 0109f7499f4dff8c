//! A layer's weights, packed once for all steps: at load where they are constant.

use burn_backend::Backend;

use super::{
    super::{
        super::{
            TensorView,
            plan::{Args, Reason},
        },
        Spec,
        panel::Packed,
    },
    cell::Kind,
    product::Product,
};

/// The weights of all directions.
pub(super) struct Weights<T, B: Backend> {
    /// Columns of the input.
    pub(super) columns: usize,
    pub(super) hidden: usize,
    pub(super) directions: Vec<Direction<T, B>>,
}

/// The weights of one direction. The biases of the input and of the state are in one, where they are added to one sum.
pub(super) struct Direction<T, B: Backend> {
    pub(super) input: Product<T, B>,
    pub(super) state: Product<T, B>,
    /// Those by which a GRU's state is multiplied after its reset.
    pub(super) reset: Option<Product<T, B>>,
}

impl<T: Packed, B: Backend> Weights<T, B> {
    /// Weights that are the same in every run; none where they are not.
    pub(super) fn constant(spec: &Spec<'_>, kind: Kind, directions: usize) -> Result<Option<Self>, Reason> {
        let (Some(input), Some(state)) = (spec.constant(1), spec.constant(2)) else { return Ok(None) };
        let bias = spec.constant(3);
        if spec.has(3) && bias.is_none() {
            return Ok(None);
        }
        let bias = bias.as_ref().map(|bias| bias.view());
        Weights::new(kind, directions, [input.view(), state.view()], bias).map(Some)
    }

    /// The weights of one call.
    pub(super) fn given(args: &Args<'_, '_, B>, kind: Kind, directions: usize) -> Result<Self, Reason> {
        let bias = if args.has(3) { Some(args.view(3)?) } else { None };
        Weights::new(kind, directions, [args.view(1)?, args.view(2)?], bias)
    }

    fn new(
        kind: Kind,
        directions: usize,
        [input, state]: [TensorView<'_>; 2],
        bias: Option<TensorView<'_>>,
    ) -> Result<Self, Reason> {
        let gates = kind.gates();
        let misfit = || {
            let shapes = (input.shape(), state.shape(), bias.map(|bias| bias.shape()));
            format!("weights of shapes {shapes:?} are not those of {directions} directions of {gates} gates")
        };
        let (&[_, _, columns], &[_, _, hidden]) = (input.shape(), state.shape()) else {
            return Err(misfit());
        };
        let width = hidden.checked_mul(gates).ok_or_else(misfit)?;
        let fit = input.shape() == [directions, width, columns]
            && state.shape() == [directions, width, hidden]
            && bias.is_none_or(|bias| bias.shape() == [directions, 2 * width]);
        let (Some(input), Some(state), true) = (T::of(input), T::of(state), fit) else {
            return Err(misfit());
        };
        let zeros;
        let bias = match bias {
            Some(bias) => T::of(bias).ok_or_else(misfit)?,
            None => {
                zeros = vec![T::zero(); directions * 2 * width];
                &zeros
            }
        };
        let of = |direction: usize| {
            let part = |data: &[T], size: usize| data[direction * size..][..size].to_vec();
            let bias = part(bias, 2 * width);
            Direction::new(kind, part(input, width * columns), part(state, width * hidden), bias, hidden)
        };
        Ok(Weights { columns, hidden, directions: (0..directions).map(of).collect() })
    }
}

impl<T: Packed, B: Backend> Direction<T, B> {
    fn new(kind: Kind, input: Vec<T>, state: Vec<T>, bias: Vec<T>, hidden: usize) -> Self {
        let width = bias.len() / 2;
        let (of_input, of_state) = bias.split_at(width);
        let columns = input.len().checked_div(width).unwrap_or(0);
        // What a reset multiplies, its bias included, is apart from the rest.
        let apart = if kind == (Kind::Gru { linear_before_reset: true }) { 2 * hidden } else { width };
        let sum = |at: usize| of_input[at] + if at < apart { of_state[at] } else { T::zero() };
        let rest = |at: usize| if at < apart { T::zero() } else { of_state[at] };
        let input = Product::new(&input, (0..width).map(sum).collect(), columns);
        let (gates, reset) = match kind {
            Kind::Gru { linear_before_reset: false } => {
                let candidate = &state[2 * hidden * hidden..];
                (2 * hidden, Some(Product::new(candidate, vec![T::zero(); hidden], hidden)))
            }
            _ => (width, None),
        };
        let state = Product::new(&state[..gates * hidden], (0..gates).map(rest).collect(), hidden);
        Direction { input, state, reset }
    }
}
