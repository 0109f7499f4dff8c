//! Scores of stored rows that lack them.

use smallvec::{SmallVec, smallvec};

use super::{
    Primary,
    commit::{Draft, key_of},
    score::scored_value,
};
use crate::{
    binding::Scores,
    mutant::Mutant,
    partition::{
        Change, Effect, ScoreTask, Ticket,
        debts::RowName,
        tickets::{Asker, Gathering},
    },
    store::{Parts, Record},
    types::{Error, RowVersion},
};

impl Primary<'_> {
    /// A change is prepared: what it means for the scores owed.
    pub(super) fn note_debt(&mut self, change: &Change) {
        let Some((map, old, new)) = change.row() else { return };
        let owed = new.filter(|new| new.unscored());
        if owed.is_none() && self.tenure.debts.is_empty() {
            return;
        }
        let Some(key) = new.or(old).and_then(key_of) else { return };
        let row = (map, key);
        let cancelled = match (change, owed) {
            // The version stays, and so does what is being done about the debt.
            (Change::Ttl { .. }, _) | (Change::Scored { .. }, Some(_)) => None,
            (Change::Put { .. }, _)
                if Mutant::ScoresAnotherRow.is_on() && self.tenure.debts.gathering(&row).is_some() =>
            {
                None
            }
            (_, Some(new)) => self.tenure.debts.owe(row, new.row_version(), self.site.now.mono_us),
            (_, None) => self.tenure.debts.settle(&row),
        };
        if let Some(gathering) = cancelled {
            self.tenure.tickets.cancel(&gathering);
        }
    }

    /// Asks for the scores that are due, a few rows at a time.
    pub(super) fn ask_for_debts(&mut self, effects: &mut Vec<Effect>) {
        while let Some((row, row_version)) = self.tenure.debts.next(self.site.now.mono_us) {
            let cancelled = match self.owing(&row, row_version) {
                Some(record) => self.ask_for_debt(&row, &record, effects),
                None => self.tenure.debts.settle(&row),
            };
            if let Some(gathering) = cancelled {
                self.tenure.tickets.cancel(&gathering);
            }
        }
    }

    /// The row, if it still is the one that lacks scores.
    fn owing(&self, (map, key): &RowName, row_version: RowVersion) -> Option<Record> {
        let record = self.current(*map, self.ledger.store.hash(key.packed()), key.packed())?;
        let is_same = record.row_version() == row_version && record.unscored();
        (is_same || Mutant::ScoresAnotherRow.is_on()).then_some(record)
    }

    fn ask_for_debt(
        &mut self,
        row: &RowName,
        record: &Record,
        effects: &mut Vec<Effect>,
    ) -> Option<Gathering> {
        let Some(map) = self.tenure.view.maps.get(&row.0).cloned() else {
            return self.tenure.debts.settle(row);
        };
        let mut gathering = Gathering::default();
        for binding in &map.bindings {
            if record.lineage().any(|lineage| lineage.binding == binding.id) {
                continue;
            }
            let ticket = self.tenure.tickets.ask(Asker::Debt(row.clone()));
            gathering.ask(binding.clone(), ticket);
            effects.push(Effect::Score(ScoreTask {
                ticket,
                binding: binding.clone(),
                map: map.clone(),
                key: row.1.clone(),
                row: record.value().to_vec().into(),
            }));
        }
        if gathering.is_complete() {
            // The binding whose score was missing is gone: nothing is owed.
            self.add_scores(row, record, &gathering, effects);
            return self.tenure.debts.settle(row);
        }
        self.tenure.debts.asked(row, gathering, self.site.now.mono_us)
    }

    pub(super) fn handle_score_of_debt(
        &mut self,
        row: &RowName,
        ticket: Ticket,
        result: Result<Scores, Error>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(gathering) = self.tenure.debts.gathering(row) else { return };
        gathering.give(ticket, result.ok());
        if !gathering.is_complete() {
            return;
        }
        let failed = gathering.missing().next().is_some();
        let Some((row_version, gathering)) = self.tenure.debts.gathered(row, failed, self.site.now.mono_us)
        else {
            return;
        };
        if let Some(record) = self.owing(row, row_version)
            && gathering.scores().next().is_some()
        {
            self.add_scores(row, &record, &gathering, effects);
        }
    }

    /// A score-only entry: the row's version stays, and no binding runs.
    fn add_scores(
        &mut self,
        row: &RowName,
        record: &Record,
        gathering: &Gathering,
        effects: &mut Vec<Effect>,
    ) {
        let Some(map) = self.tenure.view.maps.get(&row.0) else { return };
        // A row that cannot take the score keeps its mark and is tried again.
        let Ok(value) = scored_value(map, record.value(), gathering) else { return };
        let added = gathering.lineage();
        let kept = record.lineage().filter(|kept| added.iter().all(|added| added.binding != kept.binding));
        let mut lineage: SmallVec<_> = kept.collect();
        lineage.extend(added.iter().copied());
        let unscored = gathering.missing().next().is_some();
        let row_version = if Mutant::ScoreChangesVersion.is_on() {
            RowVersion(self.next_seq().0)
        } else {
            record.row_version()
        };
        let new = Record::new(&Parts { value: &value, row_version, lineage, unscored, ..record.parts() });
        let change = Change::Scored { map: row.0, old: record.clone(), new };
        self.prepare(Draft { changes: smallvec![change], ..Draft::default() }, effects);
    }
}
