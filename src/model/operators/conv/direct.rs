//! Direct convolution: a loop for every type of number and any number of spatial dimensions.

use super::{
    super::{
        number::Number,
        sliding::{each_element, gather, volume},
    },
    Shapes,
};

/// Slides the filters over the input, from `bias` for each filter or from zero.
pub(in crate::model::operators) fn convolve<T: Number>(
    shapes: &Shapes,
    input: &[T],
    filters: &[T],
    bias: Option<&[T]>,
) -> Vec<T> {
    let axes = shapes.axes.as_slice();
    let [size, kernel, out] =
        [volume(axes, |axis| axis.size), volume(axes, |axis| axis.kernel), volume(axes, |axis| axis.out)];
    let mut output = Vec::with_capacity(shapes.batch * shapes.groups * shapes.filters * out);
    for row in 0..shapes.batch * shapes.groups {
        let group = row % shapes.groups;
        let channels = &input[row * shapes.channels * size..][..shapes.channels * size];
        for filter in group * shapes.filters..(group + 1) * shapes.filters {
            let start = output.len();
            output.resize(start + out, bias.map_or(T::of_f64(0.0), |bias| bias[filter]));
            let weights = &filters[filter * shapes.channels * kernel..][..shapes.channels * kernel];
            for (channel, weights) in channels.chunks_exact(size).zip(weights.chunks_exact(kernel)) {
                each_element(axes, |element| {
                    let flat = element.iter().zip(axes).fold(0, |flat, (at, axis)| flat * axis.kernel + at);
                    let weight = weights[flat];
                    let add = |sum: &mut T, value: T| *sum = sum.add(value.mul(weight));
                    gather(axes, element, channel, &mut output[start..], &add);
                });
            }
        }
    }
    output
}
