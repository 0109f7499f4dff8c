//! What a run came to: a run in which nothing goes wrong proves nothing.

use serde::Serialize;

/// Counts of one run, or of many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Seen {
    /// A hash of all that happened.
    pub(crate) trace: u64,
    /// Things that happened.
    pub(crate) steps: u64,
    /// Operations with a definite outcome.
    pub(crate) operations: u64,
    pub(crate) reads: u64,
    /// Operations of which nobody knows what became.
    pub(crate) given_up: u64,
    pub(crate) entries: u64,
    pub(crate) repeated: u64,
    /// Repetitions answered from what the first had left behind.
    pub(crate) from_record: u64,
    pub(crate) promotions: u64,
    /// Prepared entries that gave way to others.
    pub(crate) truncated: u64,
    pub(crate) fills: u64,
    pub(crate) removals: u64,
    pub(crate) lost: u64,
    pub(crate) elections: u64,
    pub(crate) restarts: u64,
    pub(crate) grants: u64,
    pub(crate) overruns: u64,
    pub(crate) events: u64,
    pub(crate) resumed: u64,
    /// The same, at another node than one that is to be stopped.
    pub(crate) resumed_after_drain: u64,
    pub(crate) scored_late: u64,
    pub(crate) expired: u64,
    pub(crate) unserved: u64,
    pub(crate) upgrades: u64,
    pub(crate) sessions: u64,
    /// Sessions that a client thought it had and the cluster had not.
    pub(crate) renewed: u64,
    /// Streams that clients opened, and those that broke.
    pub(crate) streams: u64,
    pub(crate) broken: u64,
    /// Operations that one node passed on to another.
    pub(crate) relayed: u64,
    /// Primaries that gave their role to a backup.
    pub(crate) handed_over: u64,
    /// The same, while a node was down or stood still, or the network was not whole.
    pub(crate) handed_over_under_fault: u64,
    /// Leaders elected between a hand-over, or an admission, and its commit.
    pub(crate) elections_amid_moves: u64,
    /// Hand-overs and admissions of which whoever asked for them did not hear.
    pub(crate) outcomes_lost_of_moves: u64,
    /// Nodes that stood still between a look at a row and a look at the lease.
    pub(crate) stalled_reads: u64,
    /// Nodes that were cut off when their backups had been removed, or were about to be.
    pub(crate) stranded: u64,
    /// Silent holders that were heard once more while they were being replaced.
    pub(crate) glimpses: u64,
    /// Links that went down in a series.
    pub(crate) flaps: u64,
    /// Requests that went with it.
    pub(crate) forwarded: u64,
    /// Replicas that were one too many.
    pub(crate) retired: u64,
    pub(crate) joined: u64,
    /// Nodes that were to be stopped, and those that nobody needed any more when they were.
    pub(crate) draining: u64,
    pub(crate) drained: u64,
}

impl Seen {
    pub(crate) fn add(&mut self, other: &Seen) {
        for ((_, sum), (_, count)) in self.each().into_iter().zip(other.clone().each()) {
            *sum += *count;
        }
    }

    /// All counts by name, without the trace.
    pub(crate) fn each(&mut self) -> [(&'static str, &mut u64); 41] {
        [
            ("steps", &mut self.steps),
            ("operations", &mut self.operations),
            ("reads", &mut self.reads),
            ("given_up", &mut self.given_up),
            ("entries", &mut self.entries),
            ("repeated", &mut self.repeated),
            ("from_record", &mut self.from_record),
            ("promotions", &mut self.promotions),
            ("truncated", &mut self.truncated),
            ("fills", &mut self.fills),
            ("removals", &mut self.removals),
            ("lost", &mut self.lost),
            ("elections", &mut self.elections),
            ("restarts", &mut self.restarts),
            ("grants", &mut self.grants),
            ("overruns", &mut self.overruns),
            ("events", &mut self.events),
            ("resumed", &mut self.resumed),
            ("resumed_after_drain", &mut self.resumed_after_drain),
            ("scored_late", &mut self.scored_late),
            ("expired", &mut self.expired),
            ("unserved", &mut self.unserved),
            ("upgrades", &mut self.upgrades),
            ("sessions", &mut self.sessions),
            ("renewed", &mut self.renewed),
            ("streams", &mut self.streams),
            ("broken", &mut self.broken),
            ("relayed", &mut self.relayed),
            ("handed_over", &mut self.handed_over),
            ("handed_over_under_fault", &mut self.handed_over_under_fault),
            ("elections_amid_moves", &mut self.elections_amid_moves),
            ("outcomes_lost_of_moves", &mut self.outcomes_lost_of_moves),
            ("stalled_reads", &mut self.stalled_reads),
            ("stranded", &mut self.stranded),
            ("glimpses", &mut self.glimpses),
            ("flaps", &mut self.flaps),
            ("forwarded", &mut self.forwarded),
            ("retired", &mut self.retired),
            ("joined", &mut self.joined),
            ("draining", &mut self.draining),
            ("drained", &mut self.drained),
        ]
    }
}
