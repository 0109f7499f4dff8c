//! A million stored payments scored: by a job of ours, and by a script that pulls them from Redis, runs them through ONNX
//! Runtime in batches and writes the scores back.
//!
//! Three nodes, each row with a backup that acknowledges its score, stand beside a Redis with a replica that the script
//! waits for; one node alone beside a Redis alone. Redis keeps a payment as a hash with a field a feature, as most teams
//! would, and as one field of packed bytes, the least that it can be asked for.

mod harness;

use std::process::Command;

use embergrid::client::Client;
use harness::{Arguments, Cell, Payments, Report, Server, Side, medians, python, run};

const ROWS: u64 = 1_000_000;
/// Payments in the file; the rows are these over and over.
const DISTINCT: u64 = 20_000;
/// Rows written by one call.
const BATCH: u64 = 2_048;
/// Rows that the script scores at once.
const RIVAL_BATCH: &str = "1024";

fn main() {
    let arguments = Arguments::read();
    let rows = ROWS / arguments.divisor;
    let payments = Payments::prepare(DISTINCT);
    let mut report = Report::new("job");
    compare(&mut report, &arguments, &payments, rows, 3);
    compare(&mut report, &arguments, &payments, rows, 1);
    report.print(arguments.json);
}

/// With one copy of every row beside the first where there are several nodes.
fn compare(report: &mut Report, arguments: &Arguments, payments: &Payments, rows: u64, count: usize) {
    let nodes = match count {
        1 => vec![Server::node()],
        count => Server::nodes(count, &[]),
    };
    let node = &nodes[0];
    Payments::deploy(node);
    store(node, payments, rows);
    Payments::bind(node);
    let rivals = ["fields", "packed"].map(|layout| Rival::start(layout, payments, rows, count > 1));

    let mut ours = || vec![job(node, rows)];
    let [mut by_field, mut packed] = rivals.each_ref().map(|rival| || vec![rival.score(payments, rows)]);
    let mut sides: [Side<'_>; 3] = [&mut ours, &mut by_field, &mut packed];
    let medians = medians(arguments.rounds, &mut sides);
    let nodes = if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") };
    for (rival, median) in ["a field a feature", "features packed into one field"].iter().zip(&medians[1..]) {
        let name = format!("{nodes} / Python, {rival}");
        report.add(Cell::more_is_better(name, "rows/s", medians[0][0], median[0]));
    }
}

/// Payments in a Redis, and the script that scores them.
struct Rival {
    redis: Server,
    replica: Option<Server>,
    layout: &'static str,
}

impl Rival {
    fn start(layout: &'static str, payments: &Payments, rows: u64, with_replica: bool) -> Self {
        let redis = Server::redis();
        let replica = with_replica.then(|| Server::redis_replica(&redis));
        let rival = Self { redis, replica, layout };
        rival.script(payments, rows, &["--fill"]);
        rival
    }

    /// Rows a second.
    fn score(&self, payments: &Payments, rows: u64) -> f64 {
        let replicas = if self.replica.is_some() { "1" } else { "0" };
        rows as f64 / self.script(payments, rows, &["--replicas", replicas])
    }

    /// How many seconds the script took.
    fn script(&self, payments: &Payments, rows: u64, more: &[&str]) -> f64 {
        let text = run(Command::new(python::interpreter())
            .arg("benches/rivals/job.py")
            .args(["--port", &self.redis.port.to_string(), "--count", &rows.to_string()])
            .args(["--batch", RIVAL_BATCH, "--layout", self.layout])
            .args(["--key", "id", "--output", &payments.output, "--features", &payments.features.join(",")])
            .args([
                "--model".as_ref(),
                payments.model.as_os_str(),
                "--rows".as_ref(),
                payments.rows.as_os_str(),
            ])
            .args(more));
        let done: serde_json::Value = serde_json::from_str(&text).expect("the script prints JSON");
        done["seconds"].as_f64().expect("a number")
    }
}

/// Stores so many rows, unscored.
fn store(node: &Server, payments: &Payments, rows: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = Client::connect(&format!("127.0.0.1:{}", node.port)).await.expect("the node listens");
        let map = client.map("payments").await.expect("the map was created");
        let objects = payments.objects();
        let packed = objects.iter().map(|object| map.pack_json(object).expect("a row of the schema"));
        let packed: Vec<_> = packed.collect();
        let mut next = 0..rows;
        while !next.is_empty() {
            let some = next.by_ref().take(BATCH as usize);
            let some = some.map(|id| (id as i64, packed[id as usize % packed.len()].clone()));
            for put in map.put_all_raw(some).await.expect("the node answers") {
                put.expect("the row is stored");
            }
        }
    });
}

/// Rows a second of a job over all rows. Each scores every row: the rows carry the names of earlier ones.
fn job(node: &Server, rows: u64) -> f64 {
    let done = node.command(&["job", "score", "payments", "--binding", "fraud"]);
    assert_eq!(
        (&done["state"], &done["done"], &done["refused"]),
        (&"done".into(), &rows.into(), &0.into()),
        "{done}"
    );
    rows as f64 / done["seconds"].as_f64().expect("a number")
}
