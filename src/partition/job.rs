//! Rows that a job has scored: what it hands to the core, and how the rows are made.
//!
//! A job reads committed rows through a [`crate::store::Reader`], scores them where there is time for it, and hands the
//! core each row as it was found and as it is to be. The core takes a row only if it still is what was found, to the
//! byte: then nothing that was written, scored or given another life meanwhile is overwritten, and no question has to be
//! kept while the scores are computed. All rows of a batch that are taken go into one entry.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{MapView, Origin};
use crate::{
    binding::{Compiled, Score},
    row::{Scalar, with_scores},
    store::{Lineage, Parts, Record},
    types::{BindingId, Error, JobId, Result},
};

/// Rows of one map that a job has scored under one binding.
#[derive(Debug)]
pub struct JobBatch {
    /// Where the reply goes. Its outcome is applied if every row was taken; which were not, the rows themselves tell: see
    /// [`Record::is_scored_by`].
    pub origin: Origin,
    /// The job.
    pub job: JobId,
    /// The binding.
    pub binding: BindingId,
    /// The map and its bindings, as the scores were computed. If the partition has others, the batch is refused.
    pub map: Arc<MapView>,
    /// The rows. Without any, the reply tells that all is committed that was prepared before, and that the partition has
    /// cut over to the binding.
    pub rows: Vec<ScoredRow>,
}

/// A row as it was found, and with its scores.
#[derive(Debug)]
pub struct ScoredRow {
    before: Record,
    after: Record,
}

impl ScoredRow {
    /// Adds scores to a row. Its version and its life stay as they are.
    pub fn new(
        before: Record,
        map: &MapView,
        binding: &Compiled,
        job: JobId,
        scores: &[Score],
    ) -> Result<ScoredRow> {
        let schema = map.map.schema().ok_or_else(|| Error::internal("a plain map is scored"))?;
        let scores: SmallVec<[(usize, Scalar<'_>); 4]> =
            scores.iter().map(|score| (score.column, score.value.scalar())).collect();
        let value = with_scores(schema, before.value(), &scores)?;
        // What a binding stored that is no more says nothing any more: its columns may be this one's.
        let is_kept = |kept: &Lineage| {
            kept.binding != binding.id && map.bindings.iter().any(|other| other.id == kept.binding)
        };
        let mut lineage: SmallVec<[Lineage; 2]> = before.lineage().filter(is_kept).collect();
        lineage.push(Lineage { binding: binding.id, model_version: binding.model.version, job: Some(job) });
        let lacks = |binding: &Arc<Compiled>| lineage.iter().all(|from| from.binding != binding.id);
        let unscored = before.unscored() && map.bindings.iter().any(lacks);
        let after = Record::new(&Parts { value: &value, unscored, lineage, ..before.parts() });
        Ok(ScoredRow { before, after })
    }

    /// The row as it was found.
    pub fn before(&self) -> &Record {
        &self.before
    }

    /// Taken apart: as it was found, and with its scores.
    pub(super) fn into_parts(self) -> (Record, Record) {
        (self.before, self.after)
    }
}
