//! The control group's log on disk.

use std::{fmt::Debug, io, ops::RangeBounds, sync::Arc};

use openraft::{
    AnyError, ErrorSubject, ErrorVerb, LogState, OptionalSend, RaftLogId, RaftLogReader, StorageIOError,
    storage::{LogFlushed, RaftLogStorage},
};
use parking_lot::Mutex;

use super::{
    disk::{Batch, Disk, Fact, Fault, blocking},
    raft::{Entry, LogId, StorageError, Types, Vote},
};

/// Entries are sent so many bytes at a time, or one by one where they are longer.
const SENT_BYTES: usize = 256 << 10;

/// The log, the vote and the commit point.
#[derive(Clone)]
pub(super) struct Log {
    disk: Arc<Disk>,
    /// The last entry, as far as it was asked for or written.
    last: Arc<Mutex<Option<LogId>>>,
}

impl Log {
    pub(super) fn new(disk: Arc<Disk>) -> Self {
        Log { disk, last: Arc::default() }
    }

    /// The last entry.
    pub(super) fn last(&self) -> Option<LogId> {
        *self.last.lock()
    }

    async fn write(
        &self,
        subject: ErrorSubject<u64>,
        batch: Result<Batch, Fault>,
    ) -> Result<(), StorageError> {
        let written = match batch {
            Ok(batch) => blocking(&self.disk, move |disk| disk.write(&batch)).await,
            Err(fault) => Err(fault),
        };
        written.map_err(|fault| storage_error(subject, ErrorVerb::Write, &fault))
    }
}

/// A fault in openraft's terms.
pub(super) fn storage_error(subject: ErrorSubject<u64>, verb: ErrorVerb, fault: &Fault) -> StorageError {
    StorageIOError::new(subject, verb, AnyError::new(fault)).into()
}

#[expect(clippy::result_large_err, reason = "the error is openraft's")]
fn read<T>(subject: ErrorSubject<u64>, result: Result<T, Fault>) -> Result<T, StorageError> {
    result.map_err(|fault| storage_error(subject, ErrorVerb::Read, &fault))
}

impl RaftLogReader<Types> for Log {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: R,
    ) -> Result<Vec<Entry>, StorageError> {
        let range = (range.start_bound().cloned(), range.end_bound().cloned());
        read(ErrorSubject::Logs, blocking(&self.disk, move |disk| disk.entries(range)).await)
    }

    /// What is sent to another node at once has to arrive between two heartbeats.
    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry>, StorageError> {
        let entries = blocking(&self.disk, move |disk| disk.entries_within(start, end, SENT_BYTES)).await;
        read(ErrorSubject::Logs, entries)
    }
}

impl RaftLogStorage<Types> for Log {
    type LogReader = Log;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, StorageError> {
        let state = blocking(&self.disk, |disk| {
            let last_purged_log_id: Option<LogId> = disk.fact(Fact::Purged)?;
            let last = disk.last_entry::<Entry>()?.map(|entry| *entry.get_log_id());
            Ok(LogState { last_purged_log_id, last_log_id: last.or(last_purged_log_id) })
        });
        let state = read(ErrorSubject::Logs, state.await)?;
        *self.last.lock() = state.last_log_id;
        Ok(state)
    }

    async fn get_log_reader(&mut self) -> Log {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        self.write(ErrorSubject::Vote, Batch::default().fact(Fact::Vote, vote)).await
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        read(ErrorSubject::Vote, blocking(&self.disk, |disk| disk.fact(Fact::Vote)).await)
    }

    /// Lazily: after a crash the group agrees anew on what is committed; this saves a restarted leader from serving
    /// what it had served newer before.
    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError> {
        let saved = blocking(&self.disk, move |disk| {
            disk.write_lazily(&Batch::default().fact(Fact::Committed, &committed)?)
        });
        saved.await.map_err(|fault| storage_error(ErrorSubject::Store, ErrorVerb::Write, &fault))
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError> {
        let committed = blocking(&self.disk, |disk| disk.fact::<Option<LogId>>(Fact::Committed)).await;
        read(ErrorSubject::Store, committed.map(Option::flatten))
    }

    async fn append<I>(&mut self, entries: I, callback: LogFlushed<Types>) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut last = self.last();
        let packed = |entry: Entry| {
            last = last.max(Some(entry.log_id));
            Ok((entry.log_id.index, serde_json::to_vec(&entry)?))
        };
        let entries: Result<Vec<_>, Fault> = entries.into_iter().map(packed).collect();
        let batch = entries.map(|entries| Batch { entries, ..Batch::default() });
        let written = self.write(ErrorSubject::Logs, batch).await;
        if written.is_ok() {
            *self.last.lock() = last;
        }
        // On disk by now, so that entries are both readable and durable.
        callback
            .log_io_completed(written.as_ref().copied().map_err(|error| io::Error::other(error.to_string())));
        written
    }

    async fn truncate(&mut self, log_id: LogId) -> Result<(), StorageError> {
        let batch = Batch { truncate_from: Some(log_id.index), ..Batch::default() };
        self.write(ErrorSubject::Logs, Ok(batch)).await?;
        self.get_log_state().await.map(drop)
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), StorageError> {
        let batch = Batch { purge_to: Some(log_id.index), ..Batch::default() };
        self.write(ErrorSubject::Logs, batch.fact(Fact::Purged, &log_id)).await?;
        let mut last = self.last.lock();
        *last = (*last).max(Some(log_id));
        Ok(())
    }
}
