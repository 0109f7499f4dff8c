//! What many seeds must have reached: a run in which nothing goes wrong proves nothing.

use serde::Serialize;

use super::cluster::Seen;

/// Runs of fewer counted seeds are too short to be held to it.
pub(crate) const FEWEST_SEEDS: u64 = 100;

/// How often each of these happens in a hundred seeds that count, at least: well under what is seen of it.
const TABLE: [(&str, u64); 28] = [
    ("promotions", 250),
    ("truncated", 10),
    ("from_record", 3_000),
    ("handed_over", 400),
    ("handed_over_under_fault", 200),
    ("forwarded", 1_200),
    ("retired", 400),
    ("fills", 1_000),
    ("removals", 80),
    ("joined", 60),
    ("draining", 60),
    ("drained", 45),
    ("resumed_after_drain", 60),
    ("lost", 8),
    ("elections", 150),
    ("elections_amid_moves", 15),
    ("outcomes_lost_of_moves", 15),
    ("stalled_reads", 20),
    ("unserved", 800),
    ("stranded", 30),
    ("flaps", 400),
    ("restarts", 200),
    ("overruns", 180),
    ("renewed", 30),
    ("relayed", 2_500),
    ("scored_late", 5_000),
    ("expired", 1_500),
    ("upgrades", 60),
];

/// What happens so often that a few short seeds are sure to have it.
pub(crate) fn common() -> impl Iterator<Item = &'static str> {
    TABLE.into_iter().filter(|(_, least)| *least >= 150).map(|(name, _)| name)
}

/// What was reached of one of them.
#[derive(Serialize)]
pub(crate) struct Floor {
    name: &'static str,
    /// In a hundred seeds.
    least: u64,
    reached: u64,
}

impl Floor {
    pub(crate) fn is_missed(&self) -> bool {
        self.reached < self.least
    }

    pub(crate) fn say(&self) -> String {
        let Floor { name, least, reached } = self;
        format!("too little was reached: {reached} of {name} in a hundred seeds, and {least} is the floor")
    }
}

/// What these seeds, all of which count, have reached; nothing of too few.
pub(crate) fn reached(seen: &Seen, seeds: u64) -> Vec<Floor> {
    if seeds < FEWEST_SEEDS {
        return Vec::new();
    }
    let mut seen = seen.clone();
    let counts = seen.each();
    let count = |name: &str| counts.iter().find(|(of, _)| *of == name).map_or(0, |(_, count)| **count);
    let floor = |(name, least)| Floor { name, least, reached: count(name) * 100 / seeds };
    TABLE.into_iter().map(floor).collect()
}
