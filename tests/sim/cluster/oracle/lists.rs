//! "An acknowledged write is never lost", and "operations on one key are linearizable", of lists to which clients append:
//! whatever anybody saw of a list is the beginning of what it is in the end, what is seen later is no shorter, and every
//! item that was acknowledged is there, once.

use std::collections::BTreeMap;

use embergrid::types::Key;

use super::{Verdict, ensure};

/// All lists, by key.
#[derive(Default)]
pub(crate) struct Lists(BTreeMap<Key, List>);

#[derive(Default)]
struct List {
    sights: Vec<Sight>,
    fates: BTreeMap<i64, Fate>,
}

/// What somebody saw.
struct Sight {
    asked_us: u64,
    told_us: u64,
    items: Vec<i64>,
}

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Nobody knows.
    Open,
    /// It was appended, at that place.
    At(usize),
    Refused,
}

impl Lists {
    /// The item is to be appended.
    pub(crate) fn asked(&mut self, key: &Key, item: i64) {
        self.0.entry(key.clone()).or_default().fates.insert(item, Fate::Open);
    }

    /// The list, with the item; none if it was refused.
    pub(crate) fn answered(&mut self, key: &Key, item: i64, items: Option<Vec<i64>>, span_us: (u64, u64)) {
        let place = items.as_ref().map(|items| items.len().saturating_sub(1));
        self.0.entry(key.clone()).or_default().fates.insert(item, place.map_or(Fate::Refused, Fate::At));
        if let Some(items) = items {
            self.read(key, items, span_us);
        }
    }

    /// The list as somebody saw it who asked and was told at these times.
    pub(crate) fn read(&mut self, key: &Key, items: Vec<i64>, (asked_us, told_us): (u64, u64)) {
        self.0.entry(key.clone()).or_default().sights.push(Sight { asked_us, told_us, items });
    }

    /// What was found in the end: none for a list that does not count, and no row for an empty one.
    pub(crate) fn check(&self, found: impl Fn(&Key) -> Result<Option<Option<Vec<i64>>>, String>) -> Verdict {
        self.0.iter().try_for_each(|(key, list)| {
            let Some(found) = found(key)? else { return Ok(()) };
            list.check(&found.unwrap_or_default()).map_err(|broken| format!("the list {key:?}: {broken}"))
        })
    }
}

impl List {
    fn check(&self, last: &[i64]) -> Verdict {
        for (at, item) in last.iter().enumerate() {
            let fits = match self.fates.get(item) {
                Some(Fate::Open) => !last[..at].contains(item),
                Some(Fate::At(place)) => *place == at,
                Some(Fate::Refused) | None => false,
            };
            ensure(fits, || format!("{item} is at {at}, and {:?}: {last:?}", self.fates.get(item)))?;
        }
        let lost = self.fates.iter().find(|(item, fate)| matches!(fate, Fate::At(_)) && !last.contains(item));
        ensure(lost.is_none(), || format!("an acknowledged item is lost: {lost:?} of {last:?}"))?;
        let other = self.sights.iter().find(|sight| !last.starts_with(&sight.items));
        ensure(other.is_none(), || {
            format!("somebody saw {:?}, and in the end it is {last:?}", other.map(|sight| &sight.items))
        })?;
        self.check_order()
    }

    /// Who asks after another was told sees no less.
    fn check_order(&self) -> Verdict {
        for earlier in &self.sights {
            let later = self.sights.iter().filter(|later| later.asked_us > earlier.told_us);
            let shorter = later.min_by_key(|later| later.items.len());
            let shorter = shorter.filter(|later| later.items.len() < earlier.items.len());
            ensure(shorter.is_none(), || {
                format!("{:?} was seen, and later {:?}", earlier.items, shorter.map(|later| &later.items))
            })?;
        }
        Ok(())
    }
}
