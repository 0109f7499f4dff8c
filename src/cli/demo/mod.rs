//! `embergrid demo`: nodes in this process, simulated payments, a node that is killed, and the proof that nothing was lost.

mod alerts;
mod bundle;
mod check;
mod live;
mod marks;
mod nodes;
mod report;
mod stream;

use std::{future::pending, path::PathBuf, sync::atomic::Ordering::Relaxed, time::Duration};

use clap::Args;
use serde_json::json;

use super::{
    clock::now,
    context::Context,
    failure::{Failure, Result},
    interrupt::Interrupt,
    payments::write_csv,
};
use crate::{client::Client, types::Error};
use alerts::{Alerts, THRESHOLD};
use live::Live;
use marks::Marks;
use nodes::Nodes;
use report::Report;
use stream::{BATCH, CALLERS, MOST_PAYMENTS, Streaming};

/// The longest demo, in seconds.
const LONGEST_S: u64 = 24 * 60 * 60;
/// The most nodes of a demo: they share this machine.
const MOST_NODES: i64 = 9;

/// Score simulated card payments on a cluster inside this process, kill one of its nodes, and prove that nothing was lost.
///
/// Deploys the bundled payments model, streams payments through its binding, shows alerts as a subscription brings them.
/// Halfway the busiest node is ended without a word: the others take over, and the stream goes on. Then every
/// acknowledged payment is read back by a client that has seen nothing so far, and scored again, offline.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid demo --seconds 10")]
pub(super) struct Demo {
    /// How long payments are streamed.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=LONGEST_S))]
    seconds: u64,
    /// How many nodes; with one there is nothing to fail over to, and none is killed.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=MOST_NODES))]
    nodes: u32,
    /// Do not run the demo: write simulated payments to this CSV file.
    #[arg(long, value_name = "FILE")]
    write_payments: Option<PathBuf>,
    /// How many payments are written.
    #[arg(long, value_name = "N", default_value_t = 100_000, requires = "write_payments")]
    rows: u64,
    /// What the simulation is drawn from: the same seed gives the same payments.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

impl Demo {
    pub(super) fn run(self, context: &Context) -> Result {
        match &self.write_payments {
            Some(file) => self.write(context, file),
            None => context.block_on(self.stream(context)),
        }
    }

    fn write(&self, context: &Context, file: &PathBuf) -> Result {
        let shown = file.display();
        write_csv(file, self.rows, self.seed)
            .map_err(|error| Error::invalid(format!("{shown}: cannot be written: {error}")))?;
        let object = json!({ "file": file, "rows": self.rows, "seed": self.seed });
        Ok(context
            .output
            .answer(&object, format_args!("{} simulated payments written to {shown}", self.rows))?)
    }

    async fn stream(self, context: &Context) -> Result {
        let interrupt = Interrupt::listen()?;
        let live = Live::new(context.output);
        let mut nodes = Nodes::start(self.nodes).await?;
        let addresses = nodes.addresses();
        live.say(match self.nodes {
            1 => format!("one node in this process, at {addresses}: its rows are in one memory"),
            _ => format!("{} nodes in this process, at {addresses}: each row is on two of them", self.nodes),
        });
        let client = Client::connect(&addresses).await?;
        let map = bundle::deploy(&client).await?;
        let version = "payments@champion";
        live.say(format_args!(
            "{version} scores the map {}; an alert is {} > {THRESHOLD}",
            bundle::MAP,
            bundle::SCORE
        ));
        let alerts = Alerts::listen(&map, live.clone()).await?;
        let streaming = Streaming::new();
        live.say(format_args!(
            "{CALLERS} callers put {BATCH} simulated payments a call, for {} s",
            self.seconds
        ));
        let length = Duration::from_secs(self.seconds);
        let elapsed = tokio::select! {
            elapsed = streaming.run(&map, self.seed, length, interrupt) => elapsed?,
            () = live.follow(&streaming) => Duration::ZERO,
            () = kill_one(&mut nodes, length / 2, &streaming, &live) => Duration::ZERO,
        };
        live.finish();
        let proof = self.prove(&nodes.addresses(), &streaming, &alerts, &live).await;
        nodes.end();
        let report = report(&streaming, &alerts, &proof?, elapsed)?;
        context.output.answer(&report.0, &report.0)?;
        report.1
    }

    /// Reads everything back with a client that has seen nothing so far.
    async fn prove(
        &self,
        addresses: &str,
        streaming: &Streaming,
        alerts: &Alerts,
        live: &Live,
    ) -> Result<Proof> {
        live.say("reading every acknowledged payment back, and scoring it again offline");
        let fresh = Client::connect(addresses).await?.map(bundle::MAP).await?;
        let expected = Marks::below(MOST_PAYMENTS + 1);
        let checked = check::read_back(&fresh, self.seed, &streaming.acknowledged, &expected).await?;
        alerts.settle(checked.alerts).await;
        let last = i64::try_from(MOST_PAYMENTS).unwrap_or(i64::MAX);
        Ok(Proof { checked, delivered: check::delivered(&expected, alerts, last) })
    }
}

/// Kills the busiest node after a while, if there are others.
async fn kill_one(nodes: &mut Nodes, after: Duration, streaming: &Streaming, live: &Live) {
    tokio::time::sleep(after).await;
    let at = now();
    if let Some((name, primaries)) = nodes.kill_busiest() {
        streaming.disturbed(at);
        live.say(format_args!("{name} is killed: it was the primary of {primaries} partitions"));
    }
    pending().await
}

/// What the reading back proved.
struct Proof {
    checked: check::Checked,
    delivered: check::Delivered,
}

/// The report, and whether all is as it should be.
fn report(
    streaming: &Streaming,
    alerts: &Alerts,
    proof: &Proof,
    elapsed: Duration,
) -> Result<(Report, Result)> {
    let tally = streaming.tally.lock();
    let check::Checked { lost, wrong_scores, alerts: expected, .. } = proof.checked;
    let check::Delivered { missed, false_alarms } = proof.delivered;
    let twice = alerts.twice.load(Relaxed);
    let report = Report {
        sent: tally.sent,
        acknowledged: tally.acknowledged,
        scored: tally.scored,
        alerts: alerts.seen.count(),
        lost,
        wrong_scores,
        scored_per_s: (tally.scored as f64 / elapsed.as_secs_f64().max(1e-9)).round(),
        p50_us: tally.latency.value_at_quantile(0.5),
        p99_us: tally.latency.value_at_quantile(0.99),
        failover_ms: tally.failover.map(|took| (took.as_secs_f64() * 1e4).round() / 10.0),
    };
    let verdict = if lost + wrong_scores + missed + false_alarms + twice > 0 {
        Err(Error::internal(format!(
            "the proof failed: {lost} lost, {wrong_scores} wrong scores; of {expected} alerts {missed} missed, \
             {twice} came twice, {false_alarms} were none"
        ))
        .into())
    } else if let Some(refusal) = &tally.refusal {
        Err(Failure::Refused(refusal.clone().within("a payment was refused")))
    } else {
        Ok(())
    };
    Ok((report, verdict))
}
