//! The strongest Redis client: asynchronous, one socket, pipelining across its callers, on one thread (which measured
//! faster than two here, and than the crate `fred` either way).

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use tokio::task::LocalSet;

use super::Load;

/// What a load came to.
pub(crate) struct Outcome {
    /// Operations a second.
    pub(crate) ops_per_s: f64,
    /// Of a caller's call, in microseconds.
    pub(crate) p50_us: f64,
    /// Of a caller's call, in microseconds.
    pub(crate) p99_us: f64,
}

/// Runs `call` from every caller until the load is done, all on one socket. A call gets the connection and the number of
/// its first operation.
pub(crate) fn run(
    port: u16,
    load: Load,
    call: impl AsyncFn(&mut MultiplexedConnection, u64) + 'static,
) -> Outcome {
    on_one_thread(async {
        let (connection, call) = (connect(port).await, Rc::new(call));
        drive(load, |_| {
            let (call, mut connection) = (call.clone(), connection.clone());
            async move |first| call(&mut connection, first).await
        })
        .await
    })
}

/// Runs what may spawn tasks of its own thread.
pub(crate) fn on_one_thread<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, work)
}

/// A socket of its own.
pub(crate) async fn connect(port: u16) -> MultiplexedConnection {
    let client = redis::Client::open(("127.0.0.1", port)).expect("an address");
    client.get_multiplexed_async_connection().await.expect("redis-server answers")
}

/// Runs the load. `caller` makes what the caller of that number calls over and over, with the number of the call's first
/// operation.
#[allow(clippy::disallowed_methods, reason = "a bench reads the clock")]
pub(crate) async fn drive<C: AsyncFnMut(u64) + 'static>(
    load: Load,
    mut caller: impl FnMut(usize) -> C,
) -> Outcome {
    let calls = load.requests / load.batch as u64;
    let next = Rc::new(RefCell::new(0..calls));
    let taken = Rc::new(RefCell::new(Vec::with_capacity(usize::try_from(calls).expect("fits"))));
    let start = Instant::now();
    let mut callers = Vec::new();
    for number in 0..load.callers {
        let (mut call, next, taken) = (caller(number), next.clone(), taken.clone());
        callers.push(tokio::task::spawn_local(async move {
            loop {
                let Some(number) = next.borrow_mut().next() else { break };
                let sent = Instant::now();
                call(number * load.batch as u64).await;
                taken.borrow_mut().push(sent.elapsed());
            }
        }));
    }
    for caller in callers {
        caller.await.expect("no caller panics");
    }
    outcome(start.elapsed(), calls * load.batch as u64, &mut taken.borrow_mut())
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
