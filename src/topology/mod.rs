//! PURE: key to partition to replicas.
//!
//! [`partition_of`] is the way of every key. [`Loads`] says which node is to hold what is placed anew, [`share`] who
//! becomes primary where several may, [`rebalance`] what moves when nodes come and go.

mod loads;
mod rebalance;
mod share;

pub use loads::Loads;
pub use rebalance::{Holders, Move, rebalance};
pub use share::share;

use crate::types::{Key, PartitionId, placement_hash};

/// How many partitions a cluster has unless its birth says otherwise; fixed from then on.
pub const DEFAULT_PARTITION_COUNT: u16 = 271;

/// The partition that holds `key`: the key's placement hash modulo the number of partitions.
///
/// A count of zero is read as one, so that no input from outside can divide by zero.
pub fn partition_of(key: &Key, partition_count: u16) -> PartitionId {
    partition_of_packed(key.packed(), partition_count)
}

/// The same of a packed key.
pub fn partition_of_packed(key: &[u8], partition_count: u16) -> PartitionId {
    let partition = placement_hash(key) % u64::from(partition_count.max(1));
    // A remainder of a u16 fits a u16.
    PartitionId(partition as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::KeyRef;

    #[test]
    fn partition_depends_on_placement_alone() {
        let by_affinity = Key::new(KeyRef::I64(9), Some(b"c-17")).unwrap();
        let plain = Key::new(KeyRef::Str("c-17"), None).unwrap();
        assert_eq!(partition_of(&by_affinity, 271), partition_of(&plain, 271));
        assert_eq!(partition_of(&plain, 0), PartitionId(0));
        assert_eq!(partition_of(&plain, 1), PartitionId(0));
    }

    #[test]
    fn keys_spread_over_the_partitions() {
        let mut keys_in = [0_u32; 271];
        for number in 0..271_000 {
            keys_in[usize::from(partition_of(&Key::from(number), DEFAULT_PARTITION_COUNT).0)] += 1;
        }
        assert!(keys_in.iter().all(|count| (800..1200).contains(count)), "{keys_in:?}");
    }

    /// Clients and nodes of different versions must agree for ever: a changed hash would lose every row.
    #[test]
    fn placement_is_frozen() {
        let placed = [
            partition_of(&Key::from(1), 271),
            partition_of(&Key::new(KeyRef::Str("card-1"), None).unwrap(), 271),
            partition_of(&Key::new(KeyRef::Bytes(&[1, 2, 3]), None).unwrap(), 271),
        ];
        assert_eq!(placed, [PartitionId(255), PartitionId(129), PartitionId(197)]);
    }
}
