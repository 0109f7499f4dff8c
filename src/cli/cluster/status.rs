//! `embergrid cluster status`

use clap::Args;

use serde_json::{Value, json};

use crate::{
    cli::{context::Context, failure::Result, table::Table},
    wire::v1::{NodeStatus, PartitionStatus, PartitionTotals, StatusReply},
};

/// Show the nodes and how many partitions are healthy.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid cluster status")]
pub(super) struct Status {
    /// Show each partition.
    #[arg(long)]
    partitions: bool,
}

impl Status {
    pub(super) async fn run(self, context: &Context) -> Result {
        let status = context.connect().await?.status(self.partitions).await?;
        let totals = status.totals.unwrap_or_default();
        let mut object = json!({
            "cluster": status.cluster,
            "leader": (!status.leader.is_empty()).then_some(&status.leader),
            "nodes": status.nodes.iter().map(node).collect::<Value>(),
            "partitions": {
                "total": totals.total,
                "healthy": totals.healthy,
                "under_replicated": totals.under_replicated,
                "unavailable": totals.unavailable,
                "lost": totals.lost,
            },
        });
        if self.partitions {
            object["partitions"]["each"] = status.partitions.iter().map(partition).collect();
        }
        Ok(context.output.answer(&object, text(&status, &totals))?)
    }
}

fn node(node: &NodeStatus) -> Value {
    json!({
        "id": node.id,
        "name": node.name,
        "incarnation": node.incarnation,
        "state": node.state,
        "addr": node.addr,
        "primaries": node.primaries,
        "backups": node.backups,
    })
}

fn partition(partition: &PartitionStatus) -> Value {
    json!({
        "partition": partition.partition,
        "state": partition.state,
        "primary": partition.primary,
        "backups": partition.backups,
        "epoch": partition.epoch,
    })
}

fn text(status: &StatusReply, totals: &PartitionTotals) -> String {
    let PartitionTotals { total, healthy, under_replicated, unavailable, lost } = totals;
    let leader = if status.leader.is_empty() { "none" } else { &status.leader };
    let mut nodes = Table::new(["NODE", "NAME", "START", "STATE", "ADDRESS", "PRIMARIES", "BACKUPS"]);
    for node in &status.nodes {
        nodes.row([
            node.id.clone(),
            node.name.clone(),
            node.incarnation.to_string(),
            node.state.clone(),
            node.addr.clone(),
            node.primaries.to_string(),
            node.backups.to_string(),
        ]);
    }
    let mut text = format!(
        "cluster {}, control leader {leader}\npartitions: {healthy} of {total} healthy, {under_replicated} \
         under-replicated, {unavailable} unavailable, {lost} lost\n\n{nodes}",
        status.cluster
    );
    if !status.partitions.is_empty() {
        let mut partitions = Table::new(["PARTITION", "STATE", "PRIMARY", "BACKUPS", "EPOCH"]);
        for partition in &status.partitions {
            partitions.row([
                partition.partition.to_string(),
                partition.state.clone(),
                partition.primary.clone(),
                partition.backups.join(", "),
                partition.epoch.to_string(),
            ]);
        }
        text.push_str(&format!("\n\n{partitions}"));
    }
    text
}
