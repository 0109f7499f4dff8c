//! Partitions move while callers write to each of them: how long does a write have to wait for it?
//!
//! Three `embergrid node`s with the default settings (one backup a partition), each a process with a data folder, on this
//! machine. One caller a partition writes scored payments to a key of its own, 50 ms after each acknowledgement the next.
//! A round: a node is drained, so that each of its replicas goes elsewhere and each of its primaries hands over; then it is
//! ended by SIGTERM, started anew, and gets its share back. Rounds go on until enough primaries and replicas have moved.
//!
//! The figure is **the longest that any caller went without an acknowledged write**, beyond its own pause of 50 ms: the same
//! is told of as long a time without moves, just before. Beside it stands how long the control group took to decide on the
//! moves, as the nodes measure it: a hand-over has to wait for that once.
//!
//! Each write returns the value before it, which must be that of the last acknowledged write of its key; after the last
//! round another client reads every key.
//!
//! ```sh
//! cargo bench --bench migration -- --moves 300 --json
//! ```

#[path = "../failover/clock.rs"]
mod clock;
#[path = "../failover/cluster.rs"]
mod cluster;
mod commits;
#[path = "../harness/mod.rs"]
mod harness;
#[path = "../failover/keys.rs"]
mod keys;
#[path = "../failover/ledger.rs"]
mod ledger;
mod placement;
#[allow(dead_code, reason = "each bench uses its part")]
#[path = "../failover/waits.rs"]
mod waits;
#[path = "../failover/writers.rs"]
mod writers;

use std::time::{Duration, Instant};

use embergrid::wire::v1::StatusReply;

use clock::now;
use cluster::Cluster;
use commits::Commits;
use harness::{Arguments, Cell, Payments, Report};
use placement::{Moves, is_even};
use writers::{PAUSE, Writers};

/// Payments in the file.
const ROWS: u64 = 1_000;
/// Without moves, before the first round.
const CALM: Duration = Duration::from_secs(20);

fn main() {
    let arguments = Arguments::read();
    let wanted = arguments.moves / arguments.divisor;
    let mut cluster = Cluster::found();
    let payments = Payments::prepare(ROWS);
    Payments::deploy(&cluster.nodes[0]);
    Payments::bind(&cluster.nodes[0]);
    let status = cluster.wait_for("the cluster is even", true, is_even);
    let writers =
        cluster.runtime.block_on(Writers::start(&cluster.client, &payments, status.partitions.len() as u16));
    let writers = writers.expect("the map was created");
    std::thread::sleep(Duration::from_secs(2));

    let calm = longest(&writers, |_| std::thread::sleep(CALM));
    let mut moved = Moves::default();
    let mut commits = Commits::default();
    let moving = longest(&writers, |_| {
        for round in 0.. {
            if moved.all() >= wanted {
                break;
            }
            let node = round % cluster.nodes.len();
            cluster.move_away_and_back(node, &mut moved, &mut commits);
        }
    });
    cluster.nodes.iter().for_each(|node| commits.add(&node.metrics()));
    let totals = cluster.runtime.block_on(async {
        let reader = cluster.connect().await;
        writers.stop(&reader).await.expect("every key can be read")
    });

    let mut report = Report::new("migration");
    let ms = |wait: Duration| wait.as_secs_f64() * 1e3;
    report.add(Cell::alone("hand-overs", "times", moved.primaries as f64));
    report.add(Cell::alone("replicas moved", "times", moved.replicas as f64));
    report.add(Cell::alone("longest wait for a write, without moves", "ms", ms(calm)));
    report.add(Cell::alone("longest wait for a write, with moves", "ms", ms(moving)));
    report.add(Cell::alone("worst added pause", "ms", ms(moving.saturating_sub(calm))));
    report.add(Cell::alone("control commits", "times", commits.count() as f64));
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
        report.add(Cell::alone(
            format!("control commit, {name}, at most"),
            "ms",
            commits.percentile(share) * 1e3,
        ));
    }
    for (name, count) in
        [("acknowledged", totals.acknowledged), ("refused", totals.refused), ("lost", totals.lost)]
    {
        report.add(Cell::alone(format!("writes {name}"), "writes", count as f64));
    }
    report.print(arguments.json);
    assert_eq!((totals.lost, totals.refused), (0, 0), "acknowledged writes are lost, or writes were refused");
}

/// The longest that a caller waited for an acknowledgement meanwhile, beyond its own pause.
fn longest(writers: &Writers, meanwhile: impl FnOnce(Instant)) -> Duration {
    let begun = now();
    writers.waits(|waits| waits.begin(begun));
    meanwhile(begun);
    writers.waits(|waits| waits.longest(now())).saturating_sub(PAUSE)
}

impl Cluster {
    /// Drains a node, ends it, and has it back.
    fn move_away_and_back(&mut self, node: usize, moved: &mut Moves, commits: &mut Commits) {
        let before = self.wait_for("the cluster is even", true, is_even);
        let address = self.nodes[node].address();
        let name = before.nodes.iter().find(|of| of.addr == address).expect("a member").name.clone();
        let drained = self.runtime.block_on(self.client.drain_node(&name)).expect("it can be drained");
        let begun = now();
        let is_drained = |status: &StatusReply| {
            status.nodes.iter().any(|node| node.id == drained && node.state == "drained")
        };
        let away = self.wait_for("the node is drained", true, is_drained);
        moved.note(&before, &away);
        let left = begun.elapsed();
        // What it measured ends with it.
        commits.add(&self.nodes[node].metrics());
        self.nodes[node].end();
        self.nodes[node].start_again();
        let begun = now();
        let back = self.wait_for("the node has its share again", true, is_even);
        moved.note(&away, &back);
        eprintln!(
            "{name} drained in {left:.1?}, back with its share in {:.1?}: {} hand-overs and {} replicas so far",
            begun.elapsed(),
            moved.primaries,
            moved.replicas
        );
    }
}
