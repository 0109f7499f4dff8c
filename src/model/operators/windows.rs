//! Operators of signal processing that make weights: windows, and the bands of the mel scale.

use std::f64::consts::PI;

use burn_backend::Backend;

use super::{
    super::{
        DType, Tensor, TensorView, onnx,
        plan::{Kernel, Reason},
    },
    Operator, Refusal, Spec,
    broadcast::elements,
    cast::{of_f64, to_f64},
    pick::ints,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "HannWindow" | "HammingWindow" | "BlackmanWindow" => Operator { types, kernel: window },
        "MelWeightMatrix" => Operator { types, kernel: mel },
        _ => return None,
    })
}

/// The type that it is asked to give.
fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let element = i32::try_from(spec.int("output_datatype", 1)?).unwrap_or(0);
    match onnx::dtype(element) {
        Some(DType::Str | DType::Bool) | None => {
            Err(Refusal::unsupported(format!("of {}", onnx::element_name(element))))
        }
        Some(dtype) => Ok(vec![dtype]),
    }
}

fn one(view: TensorView<'_>) -> Result<i64, Reason> {
    match ints(view)?[..] {
        [one] => Ok(one),
        _ => Err("a size is not one number".to_owned()),
    }
}

fn size(view: TensorView<'_>) -> Result<usize, Reason> {
    let size = one(view)?;
    usize::try_from(size).map_err(|_| format!("a size of {size} is negative"))
}

fn window<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let dtype = types(spec)?[0];
    // The weights of the constant, the wave, and the one of twice its frequency.
    let weights: [f64; 3] = match spec.op().name.as_str() {
        "HannWindow" => [0.5, -0.5, 0.0],
        "HammingWindow" => [25.0 / 46.0, -21.0 / 46.0, 0.0],
        _ => [0.42, -0.5, 0.08],
    };
    let periodic = spec.flag("periodic", true)?;
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let count = elements(&[size(args.view(0)?)?], limit)?;
        let period = if periodic { count } else { count.saturating_sub(1) };
        if period == 0 && count > 0 {
            return Err("a symmetric window of one element has no shape".to_owned());
        }
        let value = |place: usize| {
            let angle = 2.0 * PI * place as f64 / period as f64;
            weights[0] + weights[1] * angle.cos() + weights[2] * (2.0 * angle).cos()
        };
        Ok(Tensor::new([count], of_f64((0..count).map(value).collect(), dtype)?))
    }))
}

fn mel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let dtype = types(spec)?[0];
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let (bands, length, rate) = (size(args.view(0)?)?, size(args.view(1)?)?, one(args.view(2)?)?);
        let ([low], [high]) = (&to_f64(args.view(3)?)?[..], &to_f64(args.view(4)?)?[..]) else {
            return Err("an edge is not one number".to_owned());
        };
        let bins = length / 2 + 1;
        elements(&[bins, bands], limit)?;
        let edges = edges(bands, length as f64, rate as f64, *low, *high);
        let weights = triangles(&edges, bins, bands)?;
        Ok(Tensor::new([bins, bands], of_f64(weights, dtype)?))
    }))
}

/// The bins where bands begin, peak and end: they are as far from each other on the mel scale.
fn edges(bands: usize, length: f64, rate: f64, low: f64, high: f64) -> Vec<f64> {
    let mel = |hertz: f64| 2595.0 * (hertz / 700.0).ln_1p() / 10.0_f64.ln();
    let step = (mel(high) - mel(low)) / (bands as f64 + 2.0);
    let hertz = |edge: usize| 700.0 * ((edge as f64 * step + mel(low)) / 2595.0 * 10.0_f64.ln()).exp_m1();
    (0..bands + 2).map(|edge| ((length + 1.0) * hertz(edge) / rate).floor()).collect()
}

/// For each band a column that rises to one at its peak and falls again.
fn triangles(edges: &[f64], bins: usize, bands: usize) -> Result<Vec<f64>, Reason> {
    let mut weights = vec![0.0; bins * bands];
    for (band, edges) in edges.windows(3).enumerate() {
        let &[begin, peak, end] = edges else { break };
        if !(0.0 <= begin && begin <= peak && peak <= end && peak < bins as f64 && end <= bins as f64) {
            return Err(format!("a band of the bins {begin} to {end} is not among {bins}"));
        }
        for bin in begin as usize..end as usize {
            let (at, rise, fall) = (bin as f64, peak - begin, end - peak);
            weights[bin * bands + band] = if at < peak { (at - begin) / rise } else { (end - at) / fall };
        }
        weights[peak as usize * bands + band] = 1.0;
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_rise_and_fall() {
        let weights = triangles(&[0.0, 2.0, 4.0], 5, 1).unwrap();
        assert_eq!(weights, [0.0, 0.5, 1.0, 0.5, 0.0]);
        assert_eq!(triangles(&[1.0, 1.0, 1.0], 2, 1).unwrap(), [0.0, 1.0]);
        assert!(triangles(&[0.0, 2.0, 4.0], 2, 1).is_err());
        assert!(triangles(&[f64::NAN; 3], 2, 1).is_err());
    }
}
