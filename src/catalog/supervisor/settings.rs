//! What a supervisor can be told.

/// How patient a supervisor is. Times are in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A node from which nothing came for so long is silent.
    pub failure_timeout_us: u64,
    /// How often a supervisor is to be given an input, if only a tick.
    pub tick_us: u64,
    /// How long a grant lasts at its holder, from the sending of the beacon that it answers.
    pub lease_us: u64,
    /// How long a grant is taken to last here, from the receipt of that beacon: longer, by as much as clocks may drift
    /// apart.
    pub grant_us: u64,
    /// When an answer that has not come is no longer waited for.
    pub answer_timeout_us: u64,
    /// How long to wait before what failed is tried again.
    pub retry_us: u64,
    /// Replicas that a node fills, and is filled with, at one time; roles that it hands over, or gets, count too.
    pub fills_per_node: usize,
    /// Partitions that are being moved at one time, in the whole cluster.
    pub moves: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            failure_timeout_us: 400_000,
            tick_us: 100_000,
            lease_us: 500_000,
            grant_us: 550_000,
            answer_timeout_us: 1_000_000,
            retry_us: 50_000,
            fills_per_node: 8,
            moves: 16,
        }
    }
}
