//! The oracle: what is committed anywhere is committed everywhere, once, and for ever.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    partition::{Answer, Entry, Outcome},
    store::Record,
    types::{Error, Generation, MapId, RequestId},
};

/// The one history, as the replicas publish it.
#[derive(Default)]
pub(crate) struct History {
    generation: Generation,
    pub(crate) entries: Vec<Arc<Entry>>,
    answers: BTreeMap<RequestId, Answer>,
    pub(crate) rows: BTreeMap<(MapId, Vec<u8>), Record>,
}

impl History {
    /// A replica has committed an entry.
    pub(crate) fn publish(&mut self, entry: &Arc<Entry>) {
        if entry.position.generation > self.generation {
            *self = History { generation: entry.position.generation, ..History::default() };
        }
        if entry.position.generation < self.generation {
            // Of a generation that was given up.
            return;
        }
        let index = entry.position.seq.0 as usize - 1;
        match self.entries.get(index) {
            Some(first) => assert_eq!(first, entry, "another entry was committed there"),
            None => self.append(index, entry),
        }
    }

    fn append(&mut self, index: usize, entry: &Arc<Entry>) {
        assert_eq!(index, self.entries.len(), "a gap before {}", entry.position);
        if let Some(last) = self.entries.last() {
            assert!(last.position < entry.position && last.time <= entry.time && last.view <= entry.view);
        }
        if let Some(answered) = &entry.answered {
            let twice = self.answers.insert(answered.id, answered.answer.clone());
            assert_eq!(twice, None, "{:?} takes effect twice", answered.id);
        }
        for change in &entry.changes {
            let Some((map, old, new)) = change.row() else { continue };
            let key = new.or(old).unwrap().key().to_vec();
            assert_eq!(self.rows.get(&(map, key.clone())), old, "the row before {entry:?}");
            match new {
                Some(new) => drop(self.rows.insert((map, key), new.clone())),
                None => drop(self.rows.remove(&(map, key))),
            }
        }
        self.entries.push(entry.clone());
    }

    /// A client is told what became of its request: it must be so.
    pub(crate) fn told(&self, id: RequestId, answer: &Result<Outcome, Error>) {
        let committed = self.answers.get(&id).map(|answer| answer.clone().map_err(|error| *error));
        assert_eq!(committed.as_ref(), Some(answer), "{id:?} is answered, and not so committed");
    }

    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }
}
