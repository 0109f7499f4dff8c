//! Three nodes that hold many rows become five, and three again, while clients write as fast as they are answered: the rows
//! are spread evenly, none is lost, no write is refused, and most of the throughput stays.

use std::time::Duration;

use tokio::runtime::Runtime;

use super::stage::{self, NODES, calm};
use crate::Told;
use crate::arguments::Arguments;
use crate::clock::{now, wait_until};
use crate::cluster::{Cluster, HANGS, connect, is_even, is_whole};
use crate::load::{Ballast, Load};
use crate::nodes::Node;
use crate::report::Report;

const MORE: [Node; 2] = [Node(4), Node(5)];
/// How long throughput is measured where nothing moves.
const MEASURED: f64 = 15.0;

/// Out and in.
pub(super) fn run(arguments: &Arguments, report: &mut Report) -> Told<()> {
    let runtime = stage::runtime()?;
    let (cluster, load) = stage::begin(&runtime, arguments)?;
    let happened = scale(arguments, &runtime, &cluster, &load, report);
    stage::end(&runtime, load, &NODES, report, happened)
}

fn scale(
    arguments: &Arguments,
    runtime: &Runtime,
    cluster: &Cluster<'_>,
    load: &Load,
    report: &mut Report,
) -> Told<()> {
    let start = now();
    let mut ballast = fill(runtime, arguments)?;
    report.add("rows", arguments.rows);
    report.add("cpu", arguments.cpu);
    report.add("load_s", rounded(start.elapsed().as_secs_f64()));
    limit(arguments, &NODES)?;
    calm(3.0);
    let before = rate(&ballast);
    report.add("before_per_s", rounded(before));

    let all: Vec<Node> = NODES.into_iter().chain(MORE).collect();
    let out = moved(load, &ballast, || {
        MORE.into_iter().try_for_each(|node| node.create(&arguments.compose))?;
        limit(arguments, &MORE)?;
        cluster
            .wait_for("five nodes share the rows", |status| is_whole(status, all.len()) && is_even(status))
            .map(drop)
    })?;
    out.add("scaling_out", before, report);
    report.add("five_nodes_per_s", rounded(rate(&ballast)));
    let back = moved(load, &ballast, || {
        MORE.into_iter().rev().try_for_each(|node| leave(runtime, cluster, node))?;
        cluster
            .wait_for("three nodes share the rows", |status| is_whole(status, NODES.len()) && is_even(status))
            .map(drop)
    })?;
    back.add("scaling_in", before, report);
    report.add("after_per_s", rounded(rate(&ballast)));

    let refused = runtime.block_on(ballast.stop()) + load.book().refused();
    let reader = runtime.block_on(connect(&NODES))?;
    let missing = runtime.block_on(ballast.missing(&reader)).map_err(|error| error.to_string())?;
    report.add("rows_missing", missing);
    report.add("refused_while_scaling", refused);
    match (missing, refused) {
        (0, 0) => Ok(()),
        _ => Err(format!("{missing} rows are missing, {refused} operations were refused")),
    }
}

/// Where all nodes are on one machine, each is given as much of it as if it had one of its own.
fn limit(arguments: &Arguments, nodes: &[Node]) -> Told<()> {
    nodes.iter().try_for_each(|node| arguments.cpu.map_or(Ok(()), |cpu| node.limit(cpu)))
}

/// How many rows are overwritten a second, where nothing moves.
fn rate(ballast: &Ballast) -> f64 {
    let (from, before) = (now(), ballast.written());
    calm(MEASURED);
    (ballast.written() - before) as f64 / from.elapsed().as_secs_f64()
}

fn rounded(figure: f64) -> f64 {
    (figure * 1e3).round() / 1e3
}

fn fill(runtime: &Runtime, arguments: &Arguments) -> Told<Ballast> {
    let client = runtime.block_on(connect(&NODES))?;
    let loaded = runtime.block_on(Ballast::load(&client, arguments.rows, arguments.seed));
    loaded.map_err(|error| error.to_string())
}

/// What a move did to those who write.
struct Moved {
    seconds: f64,
    per_s: f64,
    /// The longest that a caller went without an acknowledged write.
    wait: Duration,
}

impl Moved {
    fn add(&self, name: &str, before: f64, report: &mut Report) {
        report.add(&format!("{name}_s"), rounded(self.seconds));
        report.add(&format!("{name}_per_s"), rounded(self.per_s));
        report.add(&format!("{name}_share"), rounded(self.per_s / before));
        report.add(&format!("{name}_wait_ms"), self.wait.as_millis() as u64);
    }
}

fn moved(load: &Load, ballast: &Ballast, mut by: impl FnMut() -> Told<()>) -> Told<Moved> {
    load.waits(|waits| waits.begin(now()));
    let (start, before) = (now(), ballast.written());
    by()?;
    let seconds = start.elapsed().as_secs_f64();
    let wait = load.waits(|waits| waits.longest(now()));
    let moved = Moved { seconds, per_s: (ballast.written() - before) as f64 / seconds, wait };
    eprintln!("moved within {seconds:.1} s, at {:.0} a second, waits of {wait:.0?} at most", moved.per_s);
    Ok(moved)
}

/// A node gives away what it holds, and is removed when it holds nothing that is needed.
pub(super) fn leave(runtime: &Runtime, cluster: &Cluster<'_>, node: Node) -> Told<()> {
    let client = runtime.block_on(connect(&NODES))?;
    wait_until("the cluster lets the node leave", HANGS, || {
        runtime.block_on(client.drain_node(&node.name())).map_err(|error| error.to_string())
    })?;
    let name = node.name();
    cluster.wait_for("the node is drained", |status| {
        status.nodes.iter().any(|node| node.name == name && node.state == "drained")
    })?;
    node.stop()?;
    node.remove()?;
    cluster.wait_for("the node has left", |status| {
        status.nodes.iter().all(|node| node.name != name || node.state == "down")
    })?;
    Ok(())
}
