//! How long things take between replicas.

use crate::mutant::Mutant;

/// The durations of replication, in microseconds. All replicas of a cluster use the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long a beacon lets its sender serve, counted from when it was sent.
    pub lease_us: u64,
    /// How often a primary beacons.
    pub beacon_us: u64,
    /// How long to wait for an acknowledgement before entries are sent again.
    pub retry_us: u64,
    /// A replica that lets entries or beacons wait for so long is reported.
    pub failure_us: u64,
    /// How long to wait for the outcome of a proposal before it is made again.
    pub proposal_us: u64,
    /// How often replicas are compared.
    pub compare_us: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Timing {
            lease_us: 500_000,
            beacon_us: 100_000,
            retry_us: 50_000,
            failure_us: 400_000,
            proposal_us: 400_000,
            compare_us: 1_000_000,
        }
    }
}

impl Timing {
    /// How long a grant binds its grantor, counted from the beacon's receipt: longer than the lease by what clocks
    /// may differ (5 %), and a margin.
    pub fn grant_us(&self) -> u64 {
        if Mutant::GrantsTooShort.is_on() {
            return self.lease_us;
        }
        self.lease_us + self.lease_us / 20 + 25_000
    }
}
