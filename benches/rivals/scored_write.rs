//! The strongest of what can be built from Redis and ONNX Runtime: both in one Rust process, the client pipelining across
//! its callers, each row (or batch) scored by one call and written by one HSET a row.

use super::harness::{Load, pipelining};
use super::scorer::{Layout, Scorer};

/// Runs one load: rows a second, p50 and p99 of a call in microseconds.
pub(crate) fn run(scorer: &Scorer, port: u16, load: Load, layout: Layout) -> Vec<f64> {
    let scorer = scorer.clone();
    let outcome = pipelining::run(port, load, async move |connection, first| {
        let pipeline = scorer.score(&[first], load.batch, layout);
        let () = pipeline.query_async(connection).await.expect("redis-server answers");
    });
    vec![outcome.ops_per_s, outcome.p50_us, outcome.p99_us]
}
