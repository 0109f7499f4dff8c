//! Card payments written and scored: one by one and in batches of 64, from 1 and 50 callers.
//!
//! Ours: `embergrid bench score` against `embergrid node`, each in its own process. The rivals keep features and score in
//! a hash of Redis and score with ONNX Runtime in the client's process: Python (redis-py), and with the feature `rivals`
//! an asynchronous Rust client that pipelines across its callers.

mod harness;
#[cfg(feature = "rivals")]
#[path = "rivals/scored_write.rs"]
mod rust;

use std::process::Command;

use harness::{Arguments, Cell, Payments, Report, Server, Side, medians, python, run};

/// Rows in the file that all sides write over and over.
const ROWS: u64 = 20_000;

/// One shape of load.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    callers: usize,
    batch: usize,
    requests: u64,
}

fn main() {
    let arguments = Arguments::read();
    let payments = Payments::prepare(ROWS);
    let (node, redis) = (Server::node(), Server::redis());
    Payments::deploy(&node);
    Payments::bind(&node);
    #[cfg(feature = "rivals")]
    let rust = rust::Scorer::load(&payments);
    let mut report = Report::new("scored_write");
    for (callers, batch, requests) in [(1, 1, 40_000), (1, 64, 400_000), (50, 1, 200_000), (50, 64, 800_000)]
    {
        let load = Load { callers, batch, requests: requests / arguments.divisor };
        // Python gets a share of the rows: it is slower, and takes as long with fewer.
        let of_python = Load { requests: load.requests / 5, ..load };
        let mut ours = || figures(&ours(&node, &payments, load, None));
        let mut python = || figures(&python(&redis, &payments, of_python));
        #[cfg(feature = "rivals")]
        let mut by_field = || rust.run(redis.port, load, rust::Layout::Fields);
        #[cfg(feature = "rivals")]
        let mut packed = || rust.run(redis.port, load, rust::Layout::Packed);
        let mut sides: Vec<Side<'_>> = vec![&mut ours, &mut python];
        #[cfg(feature = "rivals")]
        sides.extend([&mut by_field as Side<'_>, &mut packed]);
        let medians = medians(arguments.rounds, &mut sides);
        add(&mut report, load, &medians);
        if (callers, batch) == (1, 1) {
            at_the_rivals_rate(&mut report, &node, &payments, load, &medians[1]);
        }
    }
    report.print(arguments.json);
}

fn add(report: &mut Report, Load { callers, batch, .. }: Load, medians: &[Vec<f64>]) {
    let rivals = ["Python", "Rust, a field a feature", "Rust, features packed into one field"];
    for (rival, median) in rivals.iter().zip(&medians[1..]) {
        let name = format!("{callers} callers, batch {batch} / {rival}");
        report.add(Cell::more_is_better(name, "rows/s", medians[0][0], median[0]));
    }
}

/// Latency at the rate that Python reaches by itself.
fn at_the_rivals_rate(report: &mut Report, node: &Server, payments: &Payments, load: Load, python: &[f64]) {
    let ours = figures(&ours(node, payments, load, Some(python[0])));
    report.add(Cell::less_is_better("p50 at Python's rate, one by one", "us", ours[1], python[1]));
    report.add(Cell::less_is_better("p99 at Python's rate, one by one", "us", ours[2], python[2]));
}

fn ours(node: &Server, payments: &Payments, load: Load, rate: Option<f64>) -> serde_json::Value {
    let rows = payments.rows.to_str().expect("text");
    let rate = rate.map(|rate| format!("--rate={rate:.0}"));
    let load = load.arguments();
    let mut words = vec!["bench", "score", "--map", "payments", "--rows", rows, "--key", "id"];
    words.extend(load.iter().map(String::as_str));
    words.extend(rate.as_deref());
    let done = node.command(&words);
    assert_eq!(done["errors"], 0, "{done}");
    done
}

fn python(redis: &Server, payments: &Payments, load: Load) -> serde_json::Value {
    let text = run(Command::new(python::interpreter())
        .arg("benches/rivals/scored_write.py")
        .args(load.arguments())
        .args(["--port", &redis.port.to_string(), "--key", "id", "--output", &payments.output])
        .args(["--features", &payments.features.join(",")])
        .args([
            "--model".as_ref(),
            payments.model.as_os_str(),
            "--rows".as_ref(),
            payments.rows.as_os_str(),
        ]));
    serde_json::from_str(&text).expect("the script prints JSON")
}

fn figures(done: &serde_json::Value) -> Vec<f64> {
    ["ops_per_s", "p50_us", "p99_us"].iter().map(|name| done[name].as_f64().expect("a number")).collect()
}

impl Load {
    fn arguments(self) -> [String; 3] {
        let Self { callers, batch, requests } = self;
        [format!("--callers={callers}"), format!("--batch={batch}"), format!("--requests={requests}")]
    }
}
