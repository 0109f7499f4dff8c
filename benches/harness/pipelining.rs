//! The strongest Redis client: asynchronous, one socket, pipelining across its callers, on one thread (which measured
//! faster than two here, and than the crate `fred` either way).

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use tokio::task::LocalSet;

/// How the callers work.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Callers at work at the same time.
    pub(crate) callers: usize,
    /// Operations a call.
    pub(crate) batch: usize,
    /// Operations in all.
    pub(crate) requests: u64,
}

/// What a load came to.
pub(crate) struct Outcome {
    /// Operations a second.
    pub(crate) ops_per_s: f64,
    /// Of a caller's call, in microseconds.
    pub(crate) p50_us: f64,
    /// Of a caller's call, in microseconds.
    pub(crate) p99_us: f64,
}

/// Runs `call` from every caller until the load is done. A call gets the connection and the number of its first
/// operation.
#[allow(clippy::disallowed_methods, reason = "a bench reads the clock")]
pub(crate) fn run(
    port: u16,
    load: Load,
    call: impl AsyncFn(&mut MultiplexedConnection, u64) + 'static,
) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let call = Rc::new(call);
    let calls = load.requests / load.batch as u64;
    let next = Rc::new(RefCell::new(0..calls));
    let taken = Rc::new(RefCell::new(Vec::with_capacity(usize::try_from(calls).expect("fits"))));
    let client = redis::Client::open(("127.0.0.1", port)).expect("an address");
    let elapsed = LocalSet::new().block_on(&runtime, async {
        let connection = client.get_multiplexed_async_connection().await.expect("redis-server answers");
        let start = Instant::now();
        let mut callers = Vec::new();
        for _ in 0..load.callers {
            let (call, next, taken, mut connection) =
                (call.clone(), next.clone(), taken.clone(), connection.clone());
            callers.push(tokio::task::spawn_local(async move {
                loop {
                    let Some(number) = next.borrow_mut().next() else { break };
                    let sent = Instant::now();
                    call(&mut connection, number * load.batch as u64).await;
                    taken.borrow_mut().push(sent.elapsed());
                }
            }));
        }
        for caller in callers {
            caller.await.expect("no caller panics");
        }
        start.elapsed()
    });
    outcome(elapsed, calls * load.batch as u64, &mut taken.borrow_mut())
}

fn outcome(elapsed: Duration, operations: u64, taken: &mut [Duration]) -> Outcome {
    taken.sort_unstable();
    let percentile =
        |percent: usize| taken[(taken.len() * percent / 100).min(taken.len() - 1)].as_secs_f64() * 1e6;
    Outcome {
        ops_per_s: operations as f64 / elapsed.as_secs_f64(),
        p50_us: percentile(50),
        p99_us: percentile(99),
    }
}
