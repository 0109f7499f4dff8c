//! Sets and gets of 128 bytes from 50 callers, one by one and in batches of 16, beside Redis.
//!
//! Ours: `embergrid bench` against `embergrid node`, each in its own process; its callers share one socket. The rivals:
//! `redis-benchmark`, one socket a caller; and with the feature `rivals` an asynchronous client on one socket.

mod harness;

use std::process::Command;

use harness::{Arguments, Cell, Report, Server, Side, medians, run};

const CALLERS: usize = 50;
const VALUE_BYTES: usize = 128;
/// The most keys of a run, as `embergrid bench` has it: a run of fewer operations has as many keys.
const MOST_KEYS: u64 = 1_000_000;

fn main() {
    let arguments = Arguments::read();
    let (node, redis) = (Server::node(), Server::redis());
    redis.fill(0..MOST_KEYS, &[b'x'; VALUE_BYTES]);
    let mut report = Report::new("vs_redis");
    for (batch, requests) in [(1, 500_000), (16, 4_000_000)] {
        for operation in ["set", "get"] {
            let requests = requests / arguments.divisor;
            compare(&mut report, arguments.rounds, &node, &redis, operation, batch, requests);
        }
    }
    report.print(arguments.json);
}

fn compare(
    report: &mut Report,
    rounds: usize,
    node: &Server,
    redis: &Server,
    operation: &str,
    batch: usize,
    requests: u64,
) {
    let mut ours = || vec![ours(node, operation, batch, requests)];
    let mut many_sockets = || vec![redis_benchmark(redis, operation, batch, requests)];
    #[cfg(feature = "rivals")]
    let mut one_socket = || vec![pipelining(redis, operation, batch, requests)];
    let mut sides: Vec<Side<'_>> = vec![&mut ours, &mut many_sockets];
    #[cfg(feature = "rivals")]
    sides.push(&mut one_socket);

    let rivals = ["redis-benchmark on 50 sockets", "pipelining Rust client on 1 socket"];
    let medians = medians(rounds, &mut sides);
    for (rival, median) in rivals.iter().zip(&medians[1..]) {
        let name = format!("{operation}, batch {batch}, 50 callers on 1 socket / {rival}");
        report.add(Cell::more_is_better(name, "ops/s", medians[0][0], median[0]));
    }
}

fn ours(node: &Server, operation: &str, batch: usize, requests: u64) -> f64 {
    let (callers, bytes) = (CALLERS.to_string(), VALUE_BYTES.to_string());
    let (batch, requests) = (batch.to_string(), requests.to_string());
    let load = ["--callers", &callers, "--value-size", &bytes, "--batch", &batch, "--requests", &requests];
    let done = node.command(&[&["bench", operation], &load[..]].concat());
    assert_eq!(done["errors"], 0, "{done}");
    done["ops_per_s"].as_f64().expect("a number")
}

fn redis_benchmark(redis: &Server, operation: &str, batch: usize, requests: u64) -> f64 {
    let text = run(Command::new("redis-benchmark").args(["-t", operation, "--csv"]).args(
        [("-p", redis.port.into()), ("-c", CALLERS as u64), ("-d", VALUE_BYTES as u64), ("-n", requests)]
            .into_iter()
            .chain([("-r", requests.min(MOST_KEYS)), ("-P", batch as u64)])
            .flat_map(|(name, value)| [name.to_owned(), value.to_string()]),
    ));
    let line = text.lines().last().expect("a line of figures");
    let field = line.split(',').nth(1).expect("requests a second");
    field.trim_matches('"').parse().unwrap_or_else(|_| panic!("redis-benchmark printed {line}"))
}

#[cfg(feature = "rivals")]
fn pipelining(redis: &Server, operation: &str, batch: usize, requests: u64) -> f64 {
    use harness::pipelining::run;
    use harness::{Load, key};

    let (set, keys) = (operation == "set", requests.min(MOST_KEYS));
    let value = [b'x'; VALUE_BYTES];
    let load = Load { callers: CALLERS, batch, requests };
    let outcome = run(redis.port, load, async move |connection, first| {
        let mut pipeline = redis::Pipeline::with_capacity(batch);
        for number in first..first + batch as u64 {
            let key = key(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % keys);
            match set {
                true => pipeline.set(key, &value[..]).ignore(),
                false => pipeline.get(key),
            };
        }
        let values: Vec<Option<Vec<u8>>> =
            pipeline.query_async(connection).await.expect("redis-server answers");
        assert_eq!(values.len(), if set { 0 } else { batch });
    });
    outcome.ops_per_s
}
