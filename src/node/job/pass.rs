//! One pass over one partition: everything in it that the job is to score.

use std::{collections::VecDeque, mem, sync::Arc, time::Duration};

use tokio::sync::oneshot;

use super::{
    batch::{self, Batch},
    work::{Work, answered},
};
use crate::{
    catalog::{Job, JobPart, JobTally},
    node::Grid,
    store::{Cursor, Record},
    types::{Error, PartitionId, Result},
};

/// Rows scored together and committed in one entry: enough for the model and the backups, few enough for a write that
/// comes meanwhile.
const BATCH_ROWS: usize = 256;
/// Their bytes; a row that is larger goes alone.
const BATCH_BYTES: usize = 256 << 10;
/// Batches of one partition between the pool and their commit: one is scored while the one before is acknowledged.
const UNDER_WAY: usize = 2;
/// How long rows are left alone that were under a write.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(2),
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(250),
];

/// Looks through a partition until nothing is left to do in it.
pub(super) async fn pass(grid: Grid, job: Arc<Job>, partition: PartitionId) -> Result<JobPart> {
    let work = Work::prepare(&grid, &job, partition)?;
    work.settle().await?;
    let mut pass = Pass {
        work,
        under_way: VecDeque::new(),
        tally: JobTally::default(),
        refusal: None,
        left: Vec::new(),
    };
    let mut place = Some(Cursor::default());
    while let Some(here) = place {
        let (rows, next) = pass.work.reader.scan(job.map, here)?;
        pass.work.reader.check(grid.mono_us())?;
        pass.look_at(rows).await?;
        place = next;
    }
    pass.drain(0).await?;
    // Rows that were under a write are looked at again, until the write has scored them or come to nothing.
    let mut pauses = PAUSES.into_iter();
    let mut pause = PAUSES[0];
    while !pass.left.is_empty() {
        pause = pauses.next().unwrap_or(pause);
        tokio::time::sleep(pause).await;
        let left = mem::take(&mut pass.left);
        pass.look_again(left).await?;
        pass.drain(0).await?;
    }
    let refusal = pass.refusal.map(|error| error.to_string());
    Ok(JobPart { partition, tally: pass.tally, refusal })
}

struct Pass {
    work: Work,
    under_way: VecDeque<oneshot::Receiver<Result<Batch>>>,
    tally: JobTally,
    refusal: Option<Error>,
    /// Rows that were under a write, or have changed since they were scored.
    left: Vec<Record>,
}

impl Pass {
    async fn look_at(&mut self, rows: Vec<Record>) -> Result<()> {
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let (mut some, mut bytes) = (Vec::with_capacity(BATCH_ROWS), 0);
            while let Some(row) = rows.next_if(|row| {
                some.is_empty() || (some.len() < BATCH_ROWS && bytes + row.size() <= BATCH_BYTES)
            }) {
                bytes += row.size();
                some.push(row);
            }
            self.begin(some);
            self.drain(UNDER_WAY - 1).await?;
        }
        Ok(())
    }

    /// Gives rows to the score pool, behind what writes wait for.
    fn begin(&mut self, rows: Vec<Record>) {
        let (sender, scored) = oneshot::channel();
        let work = self.work.clone();
        // A pass that was cut short takes nothing any more.
        self.work.shared.pool.run_later(move || drop(sender.send(batch::score(&work, rows))));
        self.under_way.push_back(scored);
    }

    /// Waits until so many batches are under way.
    async fn drain(&mut self, most: usize) -> Result<()> {
        while self.under_way.len() > most
            && let Some(scored) = self.under_way.pop_front()
        {
            let stopped = || Error::unavailable("the node is shutting down");
            self.finish(scored.await.map_err(|_| stopped())??).await?;
        }
        Ok(())
    }

    async fn finish(&mut self, batch: Batch) -> Result<()> {
        self.tally += batch.tally;
        self.refusal = self.refusal.take().or(batch.refusal);
        let Some(answer) = batch.answer else { return Ok(()) };
        if answered(answer).await?.applied {
            self.tally.done += batch.scored.len() as u64;
            return Ok(());
        }
        self.left.extend(batch.scored);
        Ok(())
    }

    /// Rows that were not all taken: some were, some have changed, some may be tried again.
    async fn look_again(&mut self, rows: Vec<Record>) -> Result<()> {
        let mut again = Vec::new();
        for before in rows {
            let (map, shared) = (self.work.job.map, &self.work.shared);
            let now = self.work.reader.read(map, before.key(), || shared.clock.mono_us())?;
            match now {
                None => self.tally.passed += 1,
                Some(row) if self.is_scored(&before, &row) => self.tally.done += 1,
                Some(row) => again.push(row),
            }
        }
        self.look_at(again).await
    }

    /// Whether the row has its score: of this job, or of a later write.
    fn is_scored(&self, before: &Record, row: &Record) -> bool {
        let binding = &self.work.binding;
        let is_newer = || {
            row.row_version() != before.row_version()
                && row
                    .lineage()
                    .any(|from| from.binding == binding.id && from.model_version == binding.model.version)
        };
        row.is_scored_by(self.work.job.id, binding.id) || is_newer()
    }
}
