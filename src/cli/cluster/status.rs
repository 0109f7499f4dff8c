//! `embergrid cluster status`

use clap::Args;

use serde_json::{Value, json};

use crate::{
    cli::{context::Context, failure::Result, table::Table},
    wire::v1::{NodeStatus, PartitionStatus, PartitionTotals, ReplicaProgress, StatusReply},
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
        "learners": node.learners,
    })
}

fn partition(partition: &PartitionStatus) -> Value {
    json!({
        "partition": partition.partition,
        "state": partition.state,
        "primary": (!partition.primary.is_empty()).then_some(&partition.primary),
        "backups": partition.backups,
        "learners": partition.learners,
        "eligible": partition.eligible,
        "successor": (!partition.successor.is_empty()).then_some(&partition.successor),
        "generation": partition.generation,
        "epoch": partition.epoch,
        "position": partition.progress.as_ref().map(|progress| &progress.position),
        "rows": partition.progress.as_ref().map(|progress| progress.rows),
        "differs": partition.progress.as_ref().map(|progress| progress.differs),
        "replicas": partition.progress.as_ref().map(|progress| progress.replicas.iter().map(replica).collect::<Value>()),
    })
}

fn replica(replica: &ReplicaProgress) -> Value {
    json!({ "node": replica.node, "lag": replica.lag, "copied_rows": replica.copied_rows })
}

fn text(status: &StatusReply, totals: &PartitionTotals) -> String {
    let leader = if status.leader.is_empty() { "none" } else { &status.leader };
    let mut text = format!("cluster {}, control leader {leader}\n", status.cluster);
    text.push_str(&health(status, totals));
    text.push_str(&format!("\n\n{}", nodes(status)));
    if !status.partitions.is_empty() {
        text.push_str(&format!("\n\n{}", partitions(status)));
    }
    text
}

/// The partitions in numbers, and what is to be done or waited for.
fn health(status: &StatusReply, totals: &PartitionTotals) -> String {
    let PartitionTotals { total, healthy, under_replicated, unavailable, lost } = totals;
    let mut text = format!(
        "partitions: {healthy} of {total} healthy, {under_replicated} under-replicated, {unavailable} \
         unavailable, {lost} lost"
    );
    if status.leader.is_empty() {
        text.push_str(
            "\nno control leader is known to the node that was asked: it is cut off, or too few nodes are up; this is what \
             it knew last",
        );
    }
    let learners: u32 = status.nodes.iter().map(|node| node.learners).sum();
    if learners > 0 {
        text.push_str(&format!("\n{learners} learners are being filled; each is then a backup"));
    }
    if *unavailable > 0 {
        text.push_str(&format!(
            "\n{unavailable} partitions are unavailable: the nodes that have their rows are down, or too few are in sync"
        ));
    }
    if *lost > 0 {
        text.push_str(&format!(
            "\n{lost} partitions are lost: every node that had their rows has restarted; `embergrid cluster \
             reset-lost --yes` begins them anew, empty"
        ));
    }
    text
}

fn nodes(status: &StatusReply) -> Table {
    let mut nodes = Table::new([
        "NODE",
        "NAME",
        "START",
        "STATE",
        "ADDRESS",
        "PRIMARIES",
        "BACKUPS",
        "LEARNERS",
        "CONTROL",
    ]);
    for node in &status.nodes {
        let control = if !status.leader.is_empty() && node.name == status.leader { "leader" } else { "" };
        nodes.row([
            node.id.clone(),
            node.name.clone(),
            node.incarnation.to_string(),
            node.state.clone(),
            node.addr.clone(),
            node.primaries.to_string(),
            node.backups.to_string(),
            node.learners.to_string(),
            control.to_owned(),
        ]);
    }
    nodes
}

fn partitions(status: &StatusReply) -> Table {
    let mut partitions = Table::new([
        "PARTITION",
        "STATE",
        "PRIMARY",
        "BACKUPS",
        "LEARNERS",
        "EPOCH",
        "POSITION",
        "ROWS",
        "NOTE",
    ]);
    for partition in &status.partitions {
        let progress = partition.progress.as_ref();
        partitions.row([
            partition.partition.to_string(),
            partition.state.clone(),
            partition.primary.clone(),
            each(&partition.backups, partition),
            each(&partition.learners, partition),
            partition.epoch.to_string(),
            progress.map(|progress| progress.position.clone()).unwrap_or_default(),
            progress.map(|progress| progress.rows.to_string()).unwrap_or_default(),
            notice(partition),
        ]);
    }
    partitions
}

/// The replicas by name; with each how far it is, where that is not all the way.
fn each(names: &[String], partition: &PartitionStatus) -> String {
    let progress = partition.progress.as_ref();
    let of = |name: &String| {
        let found = progress?.replicas.iter().find(|replica| replica.node == *name)?;
        Some(match found.copied_rows {
            Some(copied) => format!("{name} ({copied} of {} rows)", progress?.rows),
            None if found.lag > 0 => format!("{name} ({} behind)", found.lag),
            None => name.clone(),
        })
    };
    let named: Vec<String> = names.iter().map(|name| of(name).unwrap_or_else(|| name.clone())).collect();
    named.join(", ")
}

fn notice(partition: &PartitionStatus) -> String {
    if partition.progress.as_ref().is_some_and(|progress| progress.differs) {
        "the replicas hold different rows".to_owned()
    } else if partition.successor.is_empty() {
        String::new()
    } else {
        format!("to be led by {}", partition.successor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::v1::PartitionProgress;

    #[test]
    fn a_partition_shows_how_far_its_replicas_are() {
        let replica = |node: &str, lag, copied_rows| ReplicaProgress { node: node.into(), lag, copied_rows };
        let progress = PartitionProgress {
            position: "1.3.42".into(),
            rows: 10,
            replicas: vec![replica("b", 0, None), replica("c", 7, None), replica("d", 42, Some(4))],
            ..Default::default()
        };
        let mut one = PartitionStatus {
            backups: vec!["b".into(), "c".into()],
            learners: vec!["d".into()],
            successor: "c".into(),
            progress: Some(progress),
            ..Default::default()
        };
        assert_eq!(each(&one.backups, &one), "b, c (7 behind)");
        assert_eq!(each(&one.learners, &one), "d (4 of 10 rows)");
        assert_eq!(notice(&one), "to be led by c");
        let json = partition(&one);
        assert_eq!((&json["position"], &json["rows"]), (&json!("1.3.42"), &json!(10)));
        assert_eq!(json["replicas"][2], json!({ "node": "d", "lag": 42, "copied_rows": 4 }));
        one.progress = None;
        assert_eq!((each(&one.learners, &one), &partition(&one)["replicas"]), ("d".to_owned(), &Value::Null));
    }

    #[test]
    fn what_is_not_well_is_said_in_a_line_each() {
        let node = |name: &str, learners| NodeStatus { name: name.into(), learners, ..Default::default() };
        let mut status = StatusReply {
            cluster: "c".into(),
            leader: "a".into(),
            nodes: vec![node("a", 0), node("b", 0)],
            ..Default::default()
        };
        let totals = PartitionTotals { total: 9, healthy: 9, ..Default::default() };
        assert_eq!(
            text(&status, &totals).lines().take(3).collect::<Vec<_>>(),
            [
                "cluster c, control leader a",
                "partitions: 9 of 9 healthy, 0 under-replicated, 0 unavailable, 0 lost",
                ""
            ]
        );
        status.leader.clear();
        let lines = text(&status, &totals);
        assert!(lines.lines().nth(2).is_some_and(|line| line.starts_with("no control leader")), "{lines}");
        status.leader = "a".into();
        status.nodes[1].learners = 2;
        let totals = PartitionTotals { total: 9, under_replicated: 2, unavailable: 3, lost: 4, ..totals };
        let text = text(&status, &totals);
        let lines: Vec<&str> = text.lines().skip(2).take(3).collect();
        assert_eq!(lines[0], "2 learners are being filled; each is then a backup");
        assert!(lines[1].starts_with("3 partitions are unavailable: "), "{text}");
        assert!(lines[2].starts_with("4 partitions are lost: "), "{text}");
    }
}
