//! Card payments written and scored: one by one and in batches of 64, from 1 and 50 callers.
//!
//! Ours: `embergrid bench score` against `embergrid node`, each in its own process. The rivals keep features and score in
//! a hash of Redis and score with ONNX Runtime in the client's process: Python (redis-py), and with the feature `rivals`
//! an asynchronous Rust client that pipelines across its callers.

mod harness;
#[cfg(feature = "rivals")]
#[path = "rivals/scored_write.rs"]
mod rust;
#[cfg(feature = "rivals")]
#[path = "rivals/scorer.rs"]
mod scorer;

use std::process::Command;

use harness::{Arguments, Cell, Load, Payments, Report, Server, Side, figures, medians, python, run};

/// Rows in the file that all sides write over and over.
const ROWS: u64 = 20_000;

fn main() {
    let arguments = Arguments::read();
    let payments = Payments::prepare(ROWS);
    let (node, redis) = (Server::node(), Server::redis());
    Payments::deploy(&node);
    Payments::bind(&node);
    #[cfg(feature = "rivals")]
    let scorer = scorer::Scorer::load(&payments);
    let mut report = Report::new("scored_write");
    for (callers, batch, requests) in [(1, 1, 40_000), (1, 64, 400_000), (50, 1, 200_000), (50, 64, 800_000)]
    {
        let load = Load { callers, batch, requests: requests / arguments.divisor };
        // Python gets a share of the rows: it is slower, and takes as long with fewer.
        let of_python = Load { requests: load.requests / 5, ..load };
        let mut ours = || figures(&payments.write(&node, load, None));
        let mut python = || figures(&python(&redis, &payments, of_python));
        #[cfg(feature = "rivals")]
        let mut by_field = || rust::run(&scorer, redis.port, load, scorer::Layout::Fields);
        #[cfg(feature = "rivals")]
        let mut packed = || rust::run(&scorer, redis.port, load, scorer::Layout::Packed);
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
    let ours = figures(&payments.write(node, load, Some(python[0])));
    report.add(Cell::less_is_better("p50 at Python's rate, one by one", "us", ours[1], python[1]));
    report.add(Cell::less_is_better("p99 at Python's rate, one by one", "us", ours[2], python[2]));
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
