//! What every test begins with and ends with: the cluster at rest, clients at work; then everything at rest again, and the
//! judgement.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::Told;
use crate::arguments::Arguments;
use crate::clock::wait_until;
use crate::cluster::{Cluster, HANGS, connect, is_whole};
use crate::load::{Load, Payments};
use crate::nodes::Node;
use crate::report::Report;

/// The nodes that a cluster begins with.
pub(crate) const NODES: [Node; 3] = [Node(1), Node(2), Node(3)];

/// For all clients; the thread of the test waits for containers meanwhile.
pub(crate) fn runtime() -> Told<Runtime> {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(|error| error.to_string())
}

/// The cluster, whole, with all clients at work.
pub(crate) fn begin<'a>(runtime: &'a Runtime, arguments: &Arguments) -> Told<(Cluster<'a>, Load)> {
    begin_at(runtime, arguments, 1)
}

/// The same, with clients that rest so many times as long as usual.
pub(crate) fn begin_at<'a>(
    runtime: &'a Runtime,
    arguments: &Arguments,
    leisure: u32,
) -> Told<(Cluster<'a>, Load)> {
    wait_until("the cluster is started", HANGS, || match arguments.ready.exists() {
        true => Ok(()),
        false => Err(format!("there is no {}", arguments.ready.display())),
    })?;
    let cluster = Cluster::reach(runtime, &NODES)?;
    let status = cluster.wait_for("the cluster is whole", |status| is_whole(status, NODES.len()))?;
    let partitions = status.totals.map_or(0, |totals| totals.total);
    let partitions = u16::try_from(partitions).map_err(|error| error.to_string())?;
    let payments = Payments::read(&arguments.payments, &arguments.scores)?;
    let client = runtime.block_on(connect(&NODES))?;
    let load = runtime.block_on(Load::start(&client, payments, partitions, arguments.seed, leisure));
    Ok((cluster, load.map_err(|error| error.to_string())?))
}

/// Everybody stops; all is read back and judged, even where what happened before has failed.
pub(crate) fn end(
    runtime: &Runtime,
    load: Load,
    nodes: &[Node],
    report: &mut Report,
    happened: Told<()>,
) -> Told<()> {
    let judged = judge(runtime, load, nodes, report);
    happened.and(judged)
}

fn judge(runtime: &Runtime, load: Load, nodes: &[Node], report: &mut Report) -> Told<()> {
    let reader = runtime.block_on(connect(nodes))?;
    let judgement = runtime.block_on(load.judge(&reader)).map_err(|error| error.to_string())?;
    report.add_judgement(&judgement);
    match judgement.is_kept() {
        true => Ok(()),
        false => Err("a promise is broken: see the findings".into()),
    }
}

/// Lets some time pass.
pub(crate) fn calm(seconds: f64) {
    std::thread::sleep(Duration::from_secs_f64(seconds));
}
