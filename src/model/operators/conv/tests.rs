//! Convolutions of small whole numbers are exact, so every way to compute one gives the same to the bit.

use std::sync::Arc;

use burn_backend::Backend;
use burn_flex::Flex;
#[allow(deprecated)]
use burn_ndarray::NdArray;
use proptest::{collection::vec, prelude::*};

use super::{
    super::{
        super::{
            Tensor,
            plan::{Args, Given, Kernel, Reason, evaluate},
        },
        sliding::{Axes, Axis, Sliding},
    },
    Shapes, convolve, forward, transpose,
};

/// A window that fits, with one place at least.
fn axis() -> impl Strategy<Value = Axis> {
    (1..4_usize, 1..4_usize, 1..3_usize, 0..3_usize, 0..3_usize, 0..5_usize).prop_map(
        |(kernel, stride, dilation, before, after, rest)| {
            let span = (kernel - 1) * dilation + 1;
            let size = (span + rest).saturating_sub(before + after).max(1);
            let out = (size + before + after - span) / stride + 1;
            Axis { size, kernel, stride, dilation, before, after, out }
        },
    )
}

fn shapes() -> impl Strategy<Value = Shapes> {
    (1..3_usize, 1..3_usize, 1..3_usize, 1..4_usize, vec(axis(), 1..=3)).prop_map(
        |(batch, groups, channels, filters, axes)| {
            let axes = Axes::from_vec(axes);
            Shapes { batch, groups, channels, filters, axes }
        },
    )
}

impl Shapes {
    fn input(&self) -> Vec<usize> {
        let sizes = self.axes.iter().map(|axis| axis.size);
        [self.batch, self.groups * self.channels].into_iter().chain(sizes).collect()
    }

    fn weights(&self) -> Vec<usize> {
        let sizes = self.axes.iter().map(|axis| axis.kernel);
        [self.groups * self.filters, self.channels].into_iter().chain(sizes).collect()
    }
}

/// Whole numbers from -3 to 3.
fn tensor(shape: Vec<usize>, seed: usize) -> Tensor {
    let count = shape.iter().product::<usize>();
    let number = |index: usize| ((index + seed).wrapping_mul(2_654_435_761) >> 16) % 7;
    Tensor::f32(shape, (0..count).map(|index| number(index) as f32 - 3.0).collect())
}

fn numbers(tensor: &Tensor) -> &[f32] {
    match &tensor.data {
        super::super::super::Data::F32(data) => data,
        _ => &[],
    }
}

fn run<B: Backend>(
    call: impl Fn(&mut Args<'_, '_, B>) -> Result<Given<B>, Reason> + Send + Sync + 'static,
    inputs: &[Tensor],
) -> Tensor {
    let inputs: Vec<_> = inputs.iter().cloned().map(Arc::new).map(Some).collect();
    evaluate(&Kernel::anywhere(call), &inputs, &B::Device::default()).unwrap().remove(0)
}

fn convolved<B: Backend>(shapes: &Shapes, inputs: &[Tensor]) -> Tensor {
    let shapes = shapes.clone();
    run::<B>(move |args| forward::by_backend(args, &shapes), inputs)
}

/// The convolution turned around: from its output back to its input.
fn transposed<B: Backend>(shapes: &Shapes, inputs: &[Tensor]) -> Tensor {
    let rest = |axis: &Axis| {
        (axis.size + axis.before + axis.after - Axis::span(axis.kernel, axis.dilation).unwrap()) % axis.stride
    };
    let transposed = transpose::Transposed {
        sliding: Sliding::of(&shapes.axes),
        groups: shapes.groups,
        extra: Some(shapes.axes.iter().map(rest).collect()),
        asked: None,
    };
    run::<B>(move |args| transposed.call(args, 1 << 20), inputs)
}

fn dot(left: &Tensor, right: &Tensor) -> f32 {
    numbers(left).iter().zip(numbers(right)).map(|(left, right)| left * right).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    #[allow(deprecated)]
    fn backends_and_the_loop_agree(shapes in shapes(), seed in 0..1000_usize) {
        let inputs = [tensor(shapes.input(), seed), tensor(shapes.weights(), seed + 1), tensor(vec![shapes.groups * shapes.filters], seed + 2)];
        let [x, w, b] = &inputs;
        let expected = Tensor::f32(shapes.output(1 << 20).unwrap(), convolve(&shapes, numbers(x), numbers(w), Some(numbers(b))));
        prop_assert_eq!(&convolved::<Flex>(&shapes, &inputs), &expected);
        prop_assert_eq!(&convolved::<NdArray>(&shapes, &inputs), &expected);
    }

    #[test]
    #[allow(deprecated)]
    fn a_transposed_convolution_is_the_adjoint(shapes in shapes(), seed in 0..1000_usize) {
        let [x, w] = [tensor(shapes.input(), seed), tensor(shapes.weights(), seed + 1)];
        let y = tensor(shapes.output(1 << 20).unwrap(), seed + 2);
        let forward = Tensor::f32(y.shape.clone(), convolve(&shapes, numbers(&x), numbers(&w), None));
        let inputs = [y.clone(), w];
        let back = transposed::<Flex>(&shapes, &inputs);
        prop_assert_eq!(&back.shape, &x.shape);
        prop_assert_eq!(dot(&forward, &y), dot(&x, &back));
        prop_assert_eq!(&transposed::<NdArray>(&shapes, &inputs), &back);
    }
}
