//! Keys that reach every partition.

use std::collections::BTreeMap;

use embergrid::topology::partition_of;
use embergrid::types::Key;

/// A key in each partition.
pub(crate) fn a_key_of_each(partitions: u16) -> Vec<i64> {
    let mut keys = BTreeMap::new();
    for key in 0.. {
        keys.entry(partition_of(&Key::from(key), partitions)).or_insert(key);
        if keys.len() == usize::from(partitions) {
            break;
        }
    }
    keys.into_values().collect()
}
