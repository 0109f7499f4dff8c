//! A node is killed while callers write to every partition: how long until all of them are acknowledged again?
//!
//! Three `embergrid node`s with the default settings (one backup a partition, `failure_timeout_ms` of 500), each a process
//! with a data folder, on this machine. One caller a partition writes scored payments to a key of its own through one
//! client that knows all three addresses, 50 ms after each acknowledgement the next. A round: SIGKILL to a node that leads
//! partitions; when every caller has had a write acknowledged that began after the kill, and a second more, the node is
//! started again; when the cluster is healthy, the next round begins. Every third kill, and each where nobody else leads partitions, hits the leader of
//! the control group.
//!
//! The figure of a kill is **the longest time that any caller went without an acknowledged write**, counted from the kill,
//! until the node is started again: that of the slowest partition, and a second stall would count. The same is told for the
//! time from the node's new start until the cluster is healthy. Both contain the callers' pause: 50 ms are no stall at all.
//!
//! Each write returns the value before it, which must be that of the last acknowledged write of its key; after the last
//! round another client reads every key. Writes that were refused are counted, and may have taken effect or not.
//!
//! ```sh
//! cargo bench --bench failover -- --kills 50 --json
//! EMBERGRID_NODE__BACKUP_COUNT=2 EMBERGRID_NODE__MIN_IN_SYNC=2 cargo bench --bench failover    # as the compose cluster
//! ```

mod clock;
mod cluster;
mod figures;
#[path = "../harness/mod.rs"]
mod harness;
mod keys;
mod ledger;
mod target;
mod waits;
mod writers;

use std::time::Duration;

use clock::now;
use cluster::{Cluster, wait_until};
use figures::Kill;
use harness::{Arguments, Cell, Payments, Report};
use target::{Target, is_healthy};
use writers::Writers;

/// Payments in the file.
const ROWS: u64 = 1_000;
/// A wait that is told of: most are shorter by far.
const SLOW: Duration = Duration::from_secs(1);
/// Before a kill, and from the resumption of writes to the restart.
const CALM: Duration = Duration::from_secs(1);

fn main() {
    let arguments = Arguments::read();
    let kills = arguments.kills / arguments.divisor;
    let mut cluster = Cluster::found();
    let payments = Payments::prepare(ROWS);
    Payments::deploy(&cluster.nodes[0]);
    Payments::bind(&cluster.nodes[0]);
    let partitions =
        cluster.wait_for("the cluster is healthy", false, is_healthy).totals.expect("healthy").total;
    let partitions = u16::try_from(partitions).expect("few");
    let writers = cluster.runtime.block_on(Writers::start(&cluster.client, &payments, partitions));
    let writers = writers.expect("the map was created");
    let killed: Vec<Kill> = (0..kills).map(|kill| cluster.kill_one(&writers, kill, kills)).collect();
    let totals = cluster.runtime.block_on(async {
        let reader = cluster.connect().await;
        writers.stop(&reader).await.expect("every key can be read")
    });

    let mut report = Report::new("failover");
    figures::add(&mut report, &killed);
    for (name, count) in
        [("acknowledged", totals.acknowledged), ("refused", totals.refused), ("lost", totals.lost)]
    {
        report.add(Cell::alone(format!("writes {name}"), "writes", count as f64));
    }
    report.print(arguments.json);
    assert_eq!(totals.lost, 0, "acknowledged writes are lost");
}

impl Cluster {
    /// Kills a node, and has it back.
    fn kill_one(&mut self, writers: &Writers, kill: u64, of: u64) -> Kill {
        std::thread::sleep(CALM);
        let target = Target::choose(&self.wait_for("the cluster is healthy", false, is_healthy), kill);
        let node = self.nodes.iter().position(|node| node.address() == target.address);
        let node = node.expect("a node of ours");
        writers.waits(|waits| waits.begin(now()));
        self.nodes[node].kill();
        wait_until("all callers write again", || match writers.waits(|waits| waits.waiting()) {
            0 => Ok(()),
            waiting => Err(format!("{waiting} callers wait")),
        });
        std::thread::sleep(CALM);

        let restarted = now();
        let (wait, slow) = writers.waits(|waits| {
            let found = (waits.longest(restarted), waits.longer_than(SLOW, restarted));
            waits.begin(restarted);
            found
        });
        self.nodes[node].start_again();
        self.wait_for("the cluster has healed", false, |status| target.has_healed(status));
        let wait_at_return = writers.waits(|waits| waits.longest(now()));

        let Target { name, leads_control, primaries, .. } = target;
        let role = if leads_control { "the control leader, " } else { "" };
        eprintln!(
            "kill {} of {of}: {name} ({role}primary of {primaries}): callers waited {:.2} s at most, {slow} of them \
             over {SLOW:?}; healthy {:.1?} after its start, waits of {wait_at_return:.0?} meanwhile",
            kill + 1,
            wait.as_secs_f64(),
            restarted.elapsed()
        );
        Kill { leads_control, wait, wait_at_return }
    }
}
