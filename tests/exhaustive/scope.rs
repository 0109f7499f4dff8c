//! How much of the world is looked at.

/// What one check bounds. Within these bounds everything is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    pub(crate) name: &'static str,
    /// Replicas in sync that there are at first, and are to be.
    pub(crate) wanted: usize,
    /// With fewer in sync nothing is committed.
    pub(crate) min_in_sync: usize,
    /// Entries that are ever prepared.
    pub(crate) writes: u8,
    /// Crashes and silences.
    pub(crate) faults: u8,
    /// Learners that are ever added.
    pub(crate) additions: u8,
    /// Successors that are ever appointed.
    pub(crate) appointments: u8,
}

/// A primary, a backup and a third node that is filled when it is wanted.
pub(crate) const PAIR: Scope =
    Scope { name: "pair", wanted: 2, min_in_sync: 1, writes: 2, faults: 2, additions: 1, appointments: 0 };

/// The same, where the primary's role moves too.
pub(crate) const MOVE: Scope = Scope { name: "move", writes: 1, appointments: 1, ..PAIR };

/// Nothing is committed by one alone, so that what was removed stays eligible.
pub(crate) const ELIGIBLE: Scope = Scope { name: "eligible", min_in_sync: 2, writes: 1, ..PAIR };

/// Everybody is in sync at first.
pub(crate) const TRIO: Scope = Scope { name: "trio", wanted: 3, min_in_sync: 2, ..PAIR };

/// What is checked.
pub(crate) const ALL: [Scope; 4] = [PAIR, MOVE, ELIGIBLE, TRIO];
