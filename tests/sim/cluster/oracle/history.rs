//! The one history of a partition: what is committed anywhere is committed everywhere, once, and for ever. The other
//! oracles stand on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use embergrid::partition::{Answer, Change, Entry, Request, View};
use embergrid::store::Record;
use embergrid::types::{CatalogueVersion, Epoch, Generation, MapId, Position, RequestId, Seq};

use super::{Verdict, cutover, effects, ensure, once, scores};

pub(crate) type Rows = BTreeMap<(MapId, Vec<u8>), Record>;

/// The history of one partition, by generation.
#[derive(Default)]
pub(crate) struct History {
    generation: Generation,
    /// When it was lost last.
    lost_us: Option<u64>,
    is_lost: bool,
    /// The epoch in which the generation began.
    since: Epoch,
    timelines: BTreeMap<Generation, Timeline>,
    empty: Timeline,
}

/// One generation of a partition, as its replicas publish it.
#[derive(Default)]
pub(crate) struct Timeline {
    pub(crate) entries: Vec<Arc<Entry>>,
    /// As the entries leave them.
    pub(crate) rows: Rows,
    pub(super) view: Arc<View>,
    pub(super) answers: BTreeMap<RequestId, Answer>,
    pub(super) model: u32,
    pub(crate) scored_late: u64,
    pub(crate) expired: u64,
}

impl History {
    /// The last entry that is committed.
    pub(crate) fn last(&self) -> Option<Position> {
        self.timeline().entries.last().map(|entry| entry.position)
    }

    /// The present generation.
    pub(crate) fn timeline(&self) -> &Timeline {
        self.timelines.get(&self.generation).unwrap_or(&self.empty)
    }

    pub(crate) fn timelines(&self) -> impl Iterator<Item = &Timeline> {
        self.timelines.values()
    }

    pub(crate) fn of(&self, generation: Generation) -> Option<&Timeline> {
        self.timelines.get(&generation)
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Whether it lost its rows in this run.
    pub(crate) fn is_waived(&self) -> bool {
        self.is_lost || self.generation > Generation(1)
    }

    pub(super) fn lost_us(&self) -> Option<u64> {
        self.lost_us
    }

    pub(super) fn since_epoch(&self) -> Epoch {
        self.since
    }

    pub(super) fn lose(&mut self, now_us: u64) {
        self.lost_us = Some(now_us);
        self.is_lost = true;
    }

    /// It begins anew, empty.
    pub(super) fn reset(&mut self, generation: Generation, since: Epoch) {
        self.generation = generation;
        self.since = since;
        self.is_lost = false;
    }

    /// What was answered to a request, in whatever generation.
    pub(crate) fn answer(&self, id: RequestId) -> Option<&Answer> {
        self.timelines.values().rev().find_map(|timeline| timeline.answers.get(&id))
    }

    pub(super) fn published(
        &mut self,
        entry: &Arc<Entry>,
        requests: &BTreeMap<RequestId, Request>,
        views: &BTreeMap<CatalogueVersion, Arc<View>>,
    ) -> Verdict {
        if self.generation == Generation::default() {
            self.generation = entry.position.generation;
        }
        let timeline = self.timelines.entry(entry.position.generation).or_default();
        let at = (entry.position.seq.0 as usize).checked_sub(1).ok_or("an entry before the first")?;
        match timeline.entries.get(at) {
            Some(first) if Arc::ptr_eq(first, entry) => Ok(()),
            Some(first) => ensure(first == entry, || format!("committed are both {first:?} and {entry:?}")),
            None => {
                ensure(at == timeline.entries.len(), || format!("a gap before {entry:?}"))?;
                timeline.append(entry, requests, views)
            }
        }
    }
}

impl Timeline {
    fn append(
        &mut self,
        entry: &Arc<Entry>,
        requests: &BTreeMap<RequestId, Request>,
        views: &BTreeMap<CatalogueVersion, Arc<View>>,
    ) -> Verdict {
        if let Some(last) = self.entries.last() {
            let follows = last.position < entry.position && last.time <= entry.time;
            ensure(follows, || format!("{entry:?} after {last:?}"))?;
        }
        match &entry.answered {
            Some(answered) => {
                let request = requests.get(&answered.id);
                let request = request.ok_or_else(|| format!("nobody asked for {entry:?}"))?;
                once::first_answer(&mut self.answers, answered)?;
                effects::explained(self, request, &answered.answer, entry)?;
            }
            None => effects::spontaneous(self, entry)?,
        }
        for change in &entry.changes {
            self.change(change, entry, views)?;
        }
        ensure(entry.view == self.view.version, || format!("not at {}: {entry:?}", self.view.version))?;
        self.entries.push(entry.clone());
        Ok(())
    }

    fn change(
        &mut self,
        change: &Change,
        entry: &Entry,
        views: &BTreeMap<CatalogueVersion, Arc<View>>,
    ) -> Verdict {
        if let Change::Catalogue(next) = change {
            cutover::check(self, next)?;
            self.view = views.get(&next.version).ok_or("a catalogue that nobody compiled")?.clone();
        }
        if let Change::Put { map, new, .. } | Change::Scored { map, new, .. } = change {
            let said = scores::check(self, *map, new).and_then(|()| cutover::note(self, new));
            said.map_err(|broken| format!("{broken}: {entry:?}"))?;
        }
        self.scored_late += u64::from(matches!(change, Change::Scored { .. }));
        self.expired += u64::from(matches!(change, Change::Expire { .. }));
        let before = fold(&mut self.rows, change);
        let old = change.row().and_then(|(_, old, _)| old);
        ensure(before.as_ref() == old, || format!("the row was {before:?}, not as in {entry:?}"))
    }

    /// The position of the entry at `seq`, or of the beginning.
    pub(crate) fn is_here(&self, position: Position) -> bool {
        match position.seq {
            Seq(0) => true,
            Seq(seq) => self.entries.get(seq as usize - 1).is_some_and(|entry| entry.position == position),
        }
    }

    /// The rows as of that entry.
    pub(crate) fn rows_at(&self, seq: Seq) -> Rows {
        let mut rows = Rows::new();
        for change in self.entries.iter().take(seq.0 as usize).flat_map(|entry| &entry.changes) {
            fold(&mut rows, change);
        }
        rows
    }
}

/// Applies a change; the row that was there.
fn fold(rows: &mut Rows, change: &Change) -> Option<Record> {
    let (map, old, new) = change.row()?;
    let key = old.or(new)?.key().to_vec();
    match new {
        Some(new) => rows.insert((map, key), new.clone()),
        None => rows.remove(&(map, key)),
    }
}
