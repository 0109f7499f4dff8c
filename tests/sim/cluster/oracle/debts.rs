//! A row that was stored without its score says so to every replica, and whoever leads its partition sees to the score
//! (protocol rule 23): in the end no row says so any more.

use embergrid::store::Record;

use super::Timeline;

/// A row whose score is owed.
pub(crate) fn owed(timeline: &Timeline) -> Option<&Record> {
    timeline.rows.values().find(|row| row.unscored())
}
