//! Regions of interest, each pooled to the same size.

use burn_backend::Backend;

use super::super::{
    super::{
        DType, Tensor,
        plan::{Args, Kernel, Reason},
    },
    Refusal, Spec,
    broadcast::elements,
    float::{Float, each_float},
};

/// Input 2 holds numbers of images.
pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match (spec.dtype(0)?, spec.dtype(1)?, spec.dtype(2)?) {
        (dtype, regions, DType::I64) if dtype.is_float() && regions == dtype => Ok(vec![dtype]),
        (dtype, regions, _) => Err(Refusal::invalid(format!("regions of {regions} in images of {dtype}"))),
    }
}

struct Align {
    /// Rows and columns of the result.
    rows: usize,
    columns: usize,
    /// Samples of each of its elements along a dimension; as many as fit if 0.
    samples: usize,
    scale: f64,
    /// Whether the middle of the first pixel is at 0.5.
    half_pixel: bool,
    is_mean: bool,
    limit: usize,
}

pub(super) fn align<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let limit = spec.limits().elements;
    let count = |name: &str, default: i64| {
        let count = spec.int(name, default)?;
        let whole = usize::try_from(count).ok().filter(|&count| count <= limit);
        whole.ok_or_else(|| Refusal::invalid(format!("attribute `{name}` is {count}")))
    };
    let before = if spec.version() < 16 { "output_half_pixel" } else { "half_pixel" };
    let align = Align {
        rows: count("output_height", 1)?,
        columns: count("output_width", 1)?,
        samples: count("sampling_ratio", 0)?,
        scale: spec.float("spatial_scale", 1.0)?.into(),
        half_pixel: match spec.text("coordinate_transformation_mode", before)? {
            "half_pixel" => true,
            "output_half_pixel" => false,
            other => {
                let text = format!("attribute `coordinate_transformation_mode` is `{other}`");
                return Err(Refusal::invalid(text));
            }
        },
        is_mean: match spec.text("mode", "avg")? {
            "avg" => true,
            "max" => false,
            other => return Err(Refusal::invalid(format!("attribute `mode` is `{other}`"))),
        },
        limit,
    };
    Ok(Kernel::host(move |args| each_float!(args.dtype(0)?, F => align.aligned::<F, B>(args))))
}

/// The four elements around a point, with their weights.
type Corners<T> = [(usize, T); 4];

impl Align {
    fn aligned<T: Float, B: Backend>(&self, args: &Args<'_, '_, B>) -> Result<Tensor, Reason> {
        let (input, regions) = (args.shape(0)?, args.shape(1)?);
        let numbers = args.i64(2)?;
        let (&[batch, channels, height, width], true) = (&input[..], regions[..] == [numbers.len(), 4])
        else {
            return Err(format!("regions of shape {regions:?} are none of images of shape {input:?}"));
        };
        let shape = vec![numbers.len(), channels, self.rows, self.columns];
        let mut output = Vec::with_capacity(elements(&shape, self.limit)?);
        let size = height * width;
        let data = args.elements::<T>(0)?;
        for (region, &number) in args.elements::<T>(1)?.chunks_exact(4).zip(numbers) {
            let image = usize::try_from(number).ok().filter(|&image| image < batch && size > 0);
            let image = image.ok_or_else(|| format!("image {number} is none of {batch}"))?;
            let bins = self.bins(region, height, width)?;
            for channel in 0..channels {
                let plane = &data[(image * channels + channel) * size..][..size];
                output.extend(bins.iter().map(|bin| self.pooled(plane, bin)));
            }
        }
        Ok(Tensor { shape, data: T::data(output) })
    }

    /// The samples of each element of the result.
    fn bins<T: Float>(
        &self,
        region: &[T],
        height: usize,
        width: usize,
    ) -> Result<Vec<Vec<Corners<T>>>, Reason> {
        let (scale, shift) = (T::nearest(self.scale), T::nearest(if self.half_pixel { 0.5 } else { 0.0 }));
        let along = |start: T, end: T, parts: usize| {
            let (start, end) = (start * scale - shift, end * scale - shift);
            // A region of less than a pixel is one of a pixel, where pixels are not halved.
            let size = if self.half_pixel { end - start } else { (end - start).max(T::one()) };
            let step = size / T::nearest(parts as f64);
            let samples = if self.samples > 0 { self.samples } else { step.ceil().into() as usize };
            (start, step, samples)
        };
        let (x, step_x, across) = along(region[0], region[2], self.columns);
        let (y, step_y, down) = along(region[1], region[3], self.rows);
        elements(&[self.rows, self.columns, down, across], self.limit)?;
        let place = |start: T, step: T, part: usize, sample: usize, samples: usize| {
            let of = |value: usize| T::nearest(value as f64);
            start + of(part) * step + (of(sample) + T::nearest(0.5)) * step / of(samples)
        };
        let mut bins = Vec::with_capacity(self.rows * self.columns);
        for row in 0..self.rows {
            for column in 0..self.columns {
                let mut bin = Vec::with_capacity(down * across);
                for at in 0..down {
                    let y = place(y, step_y, row, at, down);
                    for sample in 0..across {
                        bin.push(corners(y, place(x, step_x, column, sample, across), height, width));
                    }
                }
                bins.push(bin);
            }
        }
        Ok(bins)
    }

    /// The mean of the samples, or the largest: of what their corners weigh, as ONNX has it, not of their sums.
    fn pooled<T: Float>(&self, plane: &[T], bin: &[Corners<T>]) -> T {
        let weighed = |corners: &Corners<T>| corners.map(|(at, weight)| plane[at] * weight);
        if self.is_mean {
            let sums = bin.iter().map(|corners| weighed(corners).into_iter().fold(T::zero(), |a, b| a + b));
            return sums.fold(T::zero(), |a, b| a + b) / T::nearest(bin.len().max(1) as f64);
        }
        bin.iter().flat_map(weighed).reduce(T::max).unwrap_or_else(T::zero)
    }
}

/// Nothing counts of a point that is more than one element outside.
fn corners<T: Float>(y: T, x: T, height: usize, width: usize) -> Corners<T> {
    let of = |value: usize| T::nearest(value as f64);
    let inside = y >= -T::one() && y <= of(height) && x >= -T::one() && x <= of(width);
    if !inside {
        return [(0, T::zero()); 4];
    }
    let around = |at: T, size: usize| {
        let at = at.max(T::zero());
        let low = (at.into() as usize).min(size - 1);
        if low == size - 1 { (low, low, T::zero()) } else { (low, low + 1, at - of(low)) }
    };
    let ((top, bottom, down), (left, right, across)) = (around(y, height), around(x, width));
    let (up, back) = (T::one() - down, T::one() - across);
    [
        (top * width + left, up * back),
        (top * width + right, up * across),
        (bottom * width + left, down * back),
        (bottom * width + right, down * across),
    ]
}
