//! How long a model takes.

use std::time::Duration;

use crate::{
    cli::clock::now,
    model::{Model, Tensor, TensorView},
    types::{Error, Result},
};

/// Runs before the measurement.
const WARM_UP: Duration = Duration::from_millis(100);
/// How long a batch size is measured: the median of so many parts of so long.
const PART: Duration = Duration::from_millis(50);
const PARTS: usize = 11;

/// Microseconds a call: the median of several parts.
pub(super) fn measure(model: &Model, rows: &[Tensor]) -> Result<f64> {
    let views: Vec<TensorView<'_>> = rows.iter().map(Tensor::view).collect();
    time(model, &views, WARM_UP)?;
    let mut parts = (0..PARTS).map(|_| time(model, &views, PART)).collect::<Result<Vec<f64>>>()?;
    parts.sort_by(f64::total_cmp);
    Ok((parts[PARTS / 2] * 1e3).round() / 1e3)
}

/// Calls for at least `length`; microseconds a call.
fn time(model: &Model, rows: &[TensorView<'_>], length: Duration) -> Result<f64> {
    let start = now();
    let mut calls = 0_u32;
    loop {
        // The clock is read every few calls: it would weigh on the small ones.
        for _ in 0..4 {
            std::hint::black_box(model.run(std::hint::black_box(rows)).map_err(Error::from)?);
        }
        calls += 4;
        let elapsed = start.elapsed();
        if elapsed >= length {
            return Ok(elapsed.as_secs_f64() * 1e6 / f64::from(calls));
        }
    }
}
