//! Card payments written, scored and acknowledged by two copies: one by one from 50 callers, and in batches of 64.
//!
//! Ours: `embergrid bench score` against three `embergrid node`s, each in its own process, with one backup a partition and
//! no acknowledgement before both copies have row and score. The rival: a Redis with a replica, and in one process an
//! asynchronous Rust client and ONNX Runtime; a write counts when `WAIT 1` says that the replica has it.
//!
//! ```sh
//! python3 -m venv rivals && rivals/bin/pip install -r benches/rivals/requirements.txt    # and redis-server 7
//! RIVALS_PYTHON=rivals/bin/python cargo bench --profile dist --features rivals --bench replicated -- --json
//! ```

mod harness;
#[path = "rivals/replicated.rs"]
mod rust;
#[path = "rivals/scorer.rs"]
mod scorer;

use harness::{Arguments, Cell, Load, Payments, Report, Server, figures, medians};
use scorer::{Layout, Scorer};

/// Rows in the file that all sides write over and over.
const ROWS: u64 = 20_000;

/// With fewer than two copies a write is refused, and a refused write ends the bench.
const TWO_COPIES: [(&str, &str); 2] =
    [("EMBERGRID_NODE__BACKUP_COUNT", "1"), ("EMBERGRID_NODE__MIN_IN_SYNC", "2")];

fn main() {
    let arguments = Arguments::read();
    let payments = Payments::prepare(ROWS);
    let nodes = Server::nodes(3, &TWO_COPIES);
    let redis = Server::redis();
    let _replica = Server::redis_replica(&redis);
    Payments::deploy(&nodes[0]);
    Payments::bind(&nodes[0]);
    let scorer = Scorer::load(&payments);
    let mut report = Report::new("replicated");
    for (callers, batch, requests) in [(50, 1, 200_000), (1, 64, 200_000), (50, 64, 400_000)] {
        let load = Load { callers, batch, requests: requests / arguments.divisor };
        let mut ours = || figures(&payments.write(&nodes[0], load, None));
        let mut by_field = || rust::run(&scorer, redis.port, load, Layout::Fields);
        let mut packed = || rust::run(&scorer, redis.port, load, Layout::Packed);
        let medians = medians(arguments.rounds, &mut [&mut ours, &mut by_field, &mut packed]);
        add(&mut report, load, &medians);
    }
    report.print(arguments.json);
}

fn add(report: &mut Report, Load { callers, batch, .. }: Load, medians: &[Vec<f64>]) {
    let rivals = ["a field a feature", "features packed into one field"];
    for (rival, median) in rivals.iter().zip(&medians[1..]) {
        let name = format!("{callers} callers, batch {batch}, 2 copies / Rust, {rival}");
        report.add(Cell::more_is_better(name.clone(), "rows/s", medians[0][0], median[0]));
        report.add(Cell::less_is_better(format!("{name}, p99"), "us", medians[0][2], median[2]));
    }
}
