//! The strongest of what can be built from Redis, a replica of it and ONNX Runtime: both clients in one Rust process, and
//! no write counts before the replica has it.
//!
//! `WAIT` stops a connection until the replica has all that came before it. With one `WAIT` a call the callers of a
//! connection would pass it one at a time, so they go in rounds: what they have ready is scored by one run of the model
//! and written by one pipeline, with one `WAIT` for all of it.

use redis::aio::MultiplexedConnection;
use tokio::sync::{mpsc, oneshot};

use super::harness::{Load, pipelining};
use super::scorer::{Layout, Scorer};

/// Connections, each with its share of the callers: while one waits for the replica, the rows of another are scored.
const LANES: usize = 2;

/// What a caller waits for.
struct Call {
    /// The number of its first row.
    first: u64,
    done: oneshot::Sender<()>,
}

/// Runs one load: rows a second, p50 and p99 of a call in microseconds.
pub(crate) fn run(scorer: &Scorer, port: u16, load: Load, layout: Layout) -> Vec<f64> {
    let outcome = pipelining::on_one_thread(async {
        let mut lanes = Vec::new();
        for _ in 0..LANES.min(load.callers) {
            let (sender, calls) = mpsc::channel(load.callers);
            let connection = pipelining::connect(port).await;
            tokio::task::spawn_local(rounds(scorer.clone(), connection, calls, load.batch, layout));
            lanes.push(sender);
        }
        pipelining::drive(load, |caller| {
            let lane = lanes[caller % lanes.len()].clone();
            async move |first| {
                let (done, acknowledged) = oneshot::channel();
                lane.send(Call { first, done }).await.expect("the lane goes on");
                acknowledged.await.expect("the lane goes on");
            }
        })
        .await
    });
    vec![outcome.ops_per_s, outcome.p50_us, outcome.p99_us]
}

/// Round after round, as long as there are callers.
async fn rounds(
    scorer: Scorer,
    mut connection: MultiplexedConnection,
    mut calls: mpsc::Receiver<Call>,
    batch: usize,
    layout: Layout,
) {
    let mut round = Vec::new();
    while calls.recv_many(&mut round, calls.max_capacity()).await > 0 {
        let firsts: Vec<u64> = round.iter().map(|call| call.first).collect();
        let mut pipeline = scorer.score(&firsts, batch, layout);
        pipeline.cmd("WAIT").arg(1).arg(0);
        let (copies,): (u32,) = pipeline.query_async(&mut connection).await.expect("redis-server answers");
        assert!(copies >= 1, "the replica has it");
        for call in round.drain(..) {
            call.done.send(()).expect("the caller waits");
        }
    }
}
