//! The three kinds of connection between two nodes, and what each may take up.

use serde::{Deserialize, Serialize};

/// One kind of traffic, on a connection of its own: a fill never stands in the way of a beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Lane {
    /// Beacons, consensus, forwarded requests: small, and late is as good as lost.
    Control = 0,
    /// What the replicas of a partition say to each other.
    Data = 1,
    /// Fills and models: large, in no hurry.
    Bulk = 2,
}

impl Lane {
    /// Every lane, in the order of their numbers.
    pub const ALL: [Lane; 3] = [Lane::Control, Lane::Data, Lane::Bulk];

    /// The name in metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Lane::Control => "control",
            Lane::Data => "data",
            Lane::Bulk => "bulk",
        }
    }

    /// The longest message, one-way or of a call, in bytes.
    pub fn max_bytes(self) -> usize {
        match self {
            Lane::Control | Lane::Data => 16 << 20,
            Lane::Bulk => 64 << 20,
        }
    }

    /// How many ordered streams share the one-way messages, by their key.
    pub(super) fn streams(self) -> usize {
        match self {
            Lane::Control => 1,
            Lane::Data | Lane::Bulk => 8,
        }
    }

    /// How many calls of one peer may be under way.
    pub(super) fn calls(self) -> u32 {
        match self {
            Lane::Control => 256,
            Lane::Data => 0,
            Lane::Bulk => 8,
        }
    }

    /// How many bytes of one-way messages may wait for one peer: at least the longest message.
    pub(super) fn outbox_bytes(self) -> usize {
        match self {
            Lane::Control => 16 << 20,
            Lane::Data => 32 << 20,
            Lane::Bulk => 64 << 20,
        }
    }

    /// How many bytes a peer may have sent that were not read yet, over all streams of the connection.
    pub(super) fn receive_window(self) -> u32 {
        match self {
            Lane::Control => 4 << 20,
            Lane::Data | Lane::Bulk => 8 << 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_message_fits_into_an_empty_outbox() {
        for lane in Lane::ALL {
            assert!(lane.outbox_bytes() >= lane.max_bytes(), "{}", lane.name());
        }
    }
}
