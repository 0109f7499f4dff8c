//! Rows into scores, on a thread of the score pool.

use tokio::sync::oneshot;

use super::work::Work;
use crate::{
    catalog::JobTally,
    partition::{Outcome, ScoredRow},
    scoring::Batcher,
    store::Record,
    types::{Class, Error, Key, Result},
};

/// Rows that were looked at together.
pub(super) struct Batch {
    /// What is certain by now.
    pub(super) tally: JobTally,
    /// Why a row was refused.
    pub(super) refusal: Option<Error>,
    /// The rows that were scored, as they were found.
    pub(super) scored: Vec<Record>,
    /// What becomes of them.
    pub(super) answer: Option<oneshot::Receiver<Result<Outcome>>>,
}

/// Looks at rows, scores those that are to be scored, and hands them to the core. An error is about all of them.
pub(super) fn score(work: &Work, rows: Vec<Record>) -> Result<Batch> {
    let mut batch = Batch { tally: JobTally::default(), refusal: None, scored: Vec::new(), answer: None };
    let mut batcher = Batcher::default();
    let schema = work.map.map.schema().ok_or_else(|| Error::internal("a plain map is scored"))?;
    for row in rows {
        if row.is_scored_by(work.job.id, work.binding.id) {
            batch.tally.done += 1;
        } else if work.filter.matches(&row) {
            let key = Key::from_packed(row.key())?;
            let added =
                batcher.add(&work.shared.models, &work.binding, schema, &key, row.value(), row.clone());
            batch.note(&row, added)?;
        } else {
            batch.tally.passed += 1;
        }
    }
    let mut scored = Vec::new();
    for (row, scores) in batcher.take().flat_map(|gathered| work.shared.run_batch(gathered)) {
        let made = scores
            .and_then(|scores| ScoredRow::new(row.clone(), &work.map, &work.binding, work.job.id, &scores));
        match made {
            Ok(made) => {
                scored.push(made);
                batch.scored.push(row);
            }
            Err(error) => batch.note(&row, Err(error))?,
        }
    }
    if !scored.is_empty() {
        batch.answer = Some(work.submit(scored));
    }
    Ok(batch)
}

impl Batch {
    /// Counts a row that cannot be scored as it is; what is not the row's own fault is an error.
    fn note(&mut self, row: &Record, added: Result<()>) -> Result<()> {
        let Err(error) = added else { return Ok(()) };
        if matches!(error.class, Class::Unavailable | Class::Overloaded | Class::Deadline) {
            return Err(error);
        }
        self.tally.refused += 1;
        if self.refusal.is_none() {
            let key = Key::from_packed(row.key())?;
            self.refusal = Some(error.within(format_args!("row {key}")));
        }
        Ok(())
    }
}
