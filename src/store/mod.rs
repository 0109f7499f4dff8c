//! A partition's rows: one writer, many readers.
//!
//! Architecture invariants:
//! - Only committed rows are here; what is prepared stays in `partition`.
//! - A [`Reader`] checks its lease after the read, and keeps the lease of the tenure it was made in. That there is one is
//!   seen before the read: until its first lease, a primary may lack what was committed under the one before.
//! - No lock is held when a call returns: rows leave as handles.

mod lease;
mod packed;
mod reader;
mod record;
mod table;
#[cfg(test)]
mod tests;
mod warm;
mod writer;

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicU64},
};

use parking_lot::RwLock;

pub use packed::Malformed;
pub use reader::{Cursor, NotServing, Reader};
pub use record::{Lineage, MAX_LINEAGE, Parts, Record};
pub use table::KeyHash;
pub use warm::{GLANCES, Glance, warm};
pub use writer::{Apply, Writer};

use crate::types::MapId;

/// Few enough for a tree to be the fastest.
type Tables = BTreeMap<MapId, Arc<table::Table>>;

/// What the writer and the readers of one replica share.
struct Shared {
    seed: table::Seed,
    /// Odd while an entry is being applied. Written by the writer alone.
    applied: AtomicU64,
    tables: RwLock<Tables>,
}

impl Shared {
    fn new(seed: u64) -> Self {
        Shared { seed: table::Seed(seed), applied: AtomicU64::new(0), tables: RwLock::new(Tables::new()) }
    }
}
