//! What requests will touch, brought near the processor before they are handled: see [`crate::store::warm`].

use std::hint::black_box;

use smallvec::SmallVec;

use super::Core;
use crate::{
    partition::{Entry, Request},
    store::{GLANCES, Glance, Record},
};

impl Core {
    /// Has a glance at the rows of requests to these cores, and at what their logs are about to drop.
    pub fn warm(requests: &[(&Core, &Request)]) {
        for requests in requests.chunks(GLANCES) {
            let places: SmallVec<[_; GLANCES]> =
                requests.iter().map(|(core, request)| core.glance(request)).collect();
            let seen: SmallVec<[_; GLANCES]> = places
                .iter()
                .map(|(row, oldest)| (row.as_ref().and_then(Glance::row), oldest.map(replaced)))
                .collect();
            let touch = |row: Option<&Record>| row.map_or(0, Record::touch);
            let touched = seen.iter().map(|(row, oldest)| {
                let (old, new) = oldest.unwrap_or_default();
                touch(*row) + touch(old) + new.map_or(0, Record::size)
            });
            black_box(touched.sum::<usize>());
        }
    }

    fn glance(&self, request: &Request) -> (Option<Glance<'_>>, Option<&Entry>) {
        let hash = self.ledger.store.hash(request.key.packed());
        (self.ledger.store.glance(request.map, hash), self.ledger.log.oldest())
    }
}

/// The rows before and after an entry's first change.
fn replaced(entry: &Entry) -> (Option<&Record>, Option<&Record>) {
    let row = entry.changes.first().and_then(|change| change.row());
    row.map_or((None, None), |(_, old, new)| (old, new))
}
