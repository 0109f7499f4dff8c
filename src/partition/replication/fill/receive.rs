//! The learner's side of a fill.

use std::collections::BTreeSet;

use super::Part;
use crate::{
    mutant::Mutant,
    partition::{Change, Entry, Limits, Verdict, ledger::Ledger},
    store::Record,
    types::{Epoch, Key, MapId, Seq},
};

/// A fill as it comes in.
#[derive(Debug)]
pub(in crate::partition) struct Receiver {
    fill: Epoch,
    /// The part to come.
    next: u32,
    /// Rows that entries after the pinned one have removed: the copy does not bring them back.
    removed: BTreeSet<(MapId, Key)>,
    is_complete: bool,
}

impl Receiver {
    /// Begins a fill, and forgets whatever there was.
    pub(in crate::partition) fn begin(
        fill: Epoch,
        part: Part,
        ledger: &mut Ledger,
        limits: &Limits,
    ) -> Option<Self> {
        let Part::Begin { at, time, catalogue } = part else { return None };
        ledger.reset(at, time, catalogue, limits);
        Some(Receiver { fill, next: 1, removed: BTreeSet::new(), is_complete: false })
    }

    /// Which fill it is.
    pub(in crate::partition) fn fill(&self) -> Epoch {
        self.fill
    }

    /// Whether everything is here and was compared.
    pub(in crate::partition) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Takes a part if it is its turn; none if it comes too early.
    pub(in crate::partition) fn take(
        &mut self,
        number: u32,
        part: Part,
        ledger: &mut Ledger,
    ) -> Option<Verdict> {
        if number != self.next {
            return (number < self.next).then_some(Verdict::Taken);
        }
        match part {
            Part::Begin { .. } => return None,
            Part::Rows { map, rows } => self.install(map, rows, ledger),
            Part::Ended(_) if Mutant::CopyLacksEnded.is_on() => {}
            Part::Sessions(_) if Mutant::CopyLacksAnswers.is_on() => {}
            Part::Ended(sessions) => sessions.into_iter().for_each(|session| ledger.sessions.end(session)),
            Part::Sessions(copies) => copies.into_iter().for_each(|copy| ledger.sessions.merge(copy)),
            Part::Log { floor, entries } => ledger.log.prepend(floor, &entries),
            Part::Check { at, checksum } => {
                if at != ledger.committed() {
                    return Some(Verdict::Missed);
                }
                if checksum != ledger.store.checksum() && !Mutant::spoils_copies() {
                    return Some(Verdict::Differs);
                }
                self.is_complete = true;
                self.removed = BTreeSet::new();
            }
        }
        self.next += 1;
        Some(Verdict::Taken)
    }

    /// An entry has been applied.
    pub(in crate::partition) fn note(&mut self, entry: &Entry) {
        if self.is_complete {
            return;
        }
        for change in &entry.changes {
            if let Change::Remove { map, old } | Change::Expire { map, old } = change
                && let Ok(key) = Key::from_packed(old.key())
            {
                self.removed.insert((*map, key));
            }
        }
    }

    /// The seq at which a checksum can be compared, if this part is one.
    pub(in crate::partition) fn compared_at(part: &Part) -> Option<Seq> {
        match part {
            Part::Check { at, .. } => Some(at.seq),
            _ => None,
        }
    }

    fn install(&mut self, map: MapId, rows: Vec<Record>, ledger: &mut Ledger) {
        let removed = &self.removed;
        let is_removed = |row: &Record| {
            !removed.is_empty()
                && !Mutant::CopyRevives.is_on()
                && Key::from_packed(row.key()).is_ok_and(|key| removed.contains(&(map, key)))
        };
        let mut changes = ledger.store.apply();
        for row in rows {
            let hash = changes.hash(row.key());
            let is_missing =
                || changes.find(map, hash, row.key()).is_none() || Mutant::CopyOverwrites.is_on();
            if !is_removed(&row) && is_missing() {
                changes.put(map, hash, row);
            }
        }
    }
}
