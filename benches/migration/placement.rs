//! Who holds what, and what has moved.

use embergrid::wire::v1::{PartitionStatus, StatusReply};

/// What has moved so far.
#[derive(Default)]
pub(crate) struct Moves {
    /// Partitions whose primary is another node.
    pub(crate) primaries: u64,
    /// Replicas that are where there was none.
    pub(crate) replicas: u64,
}

impl Moves {
    pub(crate) fn all(&self) -> u64 {
        self.primaries + self.replicas
    }

    /// Adds what moved from one state to the next.
    pub(crate) fn note(&mut self, before: &StatusReply, after: &StatusReply) {
        for (was, is) in before.partitions.iter().zip(&after.partitions) {
            self.primaries += u64::from(was.primary != is.primary);
            let had: Vec<&String> = holders(was).collect();
            self.replicas += holders(is).filter(|node| !had.contains(node)).count() as u64;
        }
    }
}

fn holders(partition: &PartitionStatus) -> impl Iterator<Item = &String> {
    partition.backups.iter().chain([&partition.primary])
}

/// Whether every node is up and has its share, every partition is whole, and nothing is about to move.
pub(crate) fn is_even(status: &StatusReply) -> bool {
    let whole = status.totals.is_some_and(|totals| totals.total > 0 && totals.healthy == totals.total);
    let at_rest = status.partitions.iter().all(|of| of.learners.is_empty() && of.successor.is_empty());
    let spread = |of: fn(&embergrid::wire::v1::NodeStatus) -> u32| {
        let counts = || status.nodes.iter().map(of);
        counts().max().unwrap_or(0) - counts().min().unwrap_or(0)
    };
    let even = spread(|node| node.primaries) <= 1 && spread(|node| node.primaries + node.backups) <= 1;
    whole && at_rest && even && status.nodes.iter().all(|node| node.state == "up")
}
