//! "A lost or unavailable partition answers with an error, never as if empty."

use embergrid::types::Epoch;

use super::{History, Verdict, ensure};

/// How long a lease may outlive the replicas that granted it.
const LEASE_US: u64 = 550_000;

/// A row is read, in that epoch. True if what was found must be what is committed: a holder that was removed, and whose
/// lease has yet to end, may answer for a generation that was given up meanwhile.
pub(crate) fn is_read(history: &History, epoch: Epoch, now_us: u64) -> Result<bool, String> {
    let is_current = epoch >= history.since_epoch();
    let is_over = history.lost_us().is_some_and(|lost_us| lost_us + LEASE_US < now_us);
    let is_answering = history.is_lost() || !is_current;
    let said: Verdict =
        ensure(!(is_answering && is_over), || "a lost partition is read as if it were there".into());
    said.map(|()| is_current)
}
