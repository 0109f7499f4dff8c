//! The state machine: the catalogue, in memory, with its snapshot on disk.

use std::{io::Cursor, sync::Arc};

use openraft::{
    EntryPayload, ErrorSubject, ErrorVerb, OptionalSend, RaftSnapshotBuilder, storage::RaftStateMachine,
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{
    disk::{Batch, Disk, Fact, Fault, blocking},
    log::storage_error,
    raft::{Answer, Entry, LogId, Snapshot, SnapshotMeta, StorageError, StoredMembership, Types},
};
use crate::catalog::Catalogue;

/// The catalogue and what openraft wants to be kept beside it.
#[derive(Clone, Default, Serialize, Deserialize)]
struct State {
    applied: Option<LogId>,
    membership: StoredMembership,
    catalogue: Catalogue,
}

/// Applies commands, publishes the catalogue.
pub(super) struct Machine {
    disk: Arc<Disk>,
    state: State,
    published: watch::Sender<Arc<Catalogue>>,
}

/// A state as it was when the snapshot was asked for.
pub(super) struct Builder {
    disk: Arc<Disk>,
    state: State,
}

impl Machine {
    /// The machine as its last snapshot left it; openraft applies the entries that followed.
    pub(super) fn open(disk: Arc<Disk>) -> Result<Self, Fault> {
        let state: State = disk.fact(Fact::Snapshot)?.unwrap_or_default();
        let published = watch::Sender::new(Arc::new(state.catalogue.clone()));
        Ok(Machine { disk, state, published })
    }

    /// The cluster; zero if it is not known yet.
    pub(super) fn cluster(&self) -> u64 {
        self.state.catalogue.cluster
    }

    /// The catalogue, and every change of it.
    pub(super) fn watch(&self) -> watch::Receiver<Arc<Catalogue>> {
        self.published.subscribe()
    }

    fn apply_one(&mut self, entry: Entry) -> Answer {
        self.state.applied = Some(entry.log_id);
        match entry.payload {
            EntryPayload::Blank => None,
            EntryPayload::Normal(command) => Some(self.state.catalogue.apply(&command)),
            EntryPayload::Membership(membership) => {
                self.state.membership = StoredMembership::new(Some(entry.log_id), membership);
                None
            }
        }
    }

    /// Shows the catalogue to those who watch. They are woken if its metadata, its placement or its jobs changed; that
    /// sessions were granted is found by whoever looks.
    fn publish(&self) {
        self.published.send_if_modified(|shown| {
            let latest = &self.state.catalogue;
            let version = |of: &Catalogue| (of.version, of.placement, of.jobs_version);
            let changed = version(shown) != version(latest);
            if changed || shown.next_session() != latest.next_session() {
                *shown = Arc::new(self.state.catalogue.clone());
            }
            changed
        });
    }
}

impl RaftStateMachine<Types> for Machine {
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        Ok((self.state.applied, self.state.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Answer>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let answers = entries.into_iter().map(|entry| self.apply_one(entry)).collect();
        self.publish();
        Ok(answers)
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        Builder { disk: Arc::clone(&self.disk), state: self.state.clone() }
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Cursor<Vec<u8>>>, StorageError> {
        Ok(Box::default())
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: Box<Cursor<Vec<u8>>>,
    ) -> Result<(), StorageError> {
        let bytes = snapshot.into_inner();
        let subject = || ErrorSubject::Snapshot(Some(meta.signature()));
        let state: State = serde_json::from_slice(&bytes)
            .map_err(|error| storage_error(subject(), ErrorVerb::Read, &Fault::Content(error)))?;
        save(&self.disk, meta.clone(), bytes)
            .await
            .map_err(|fault| storage_error(subject(), ErrorVerb::Write, &fault))?;
        self.state = State { applied: meta.last_log_id, membership: meta.last_membership.clone(), ..state };
        self.publish();
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        let saved = blocking(&self.disk, |disk| {
            Ok(disk.fact::<SnapshotMeta>(Fact::SnapshotMeta)?.zip(disk.raw_fact(Fact::Snapshot)?))
        });
        let saved = saved
            .await
            .map_err(|fault| storage_error(ErrorSubject::Snapshot(None), ErrorVerb::Read, &fault))?;
        Ok(saved.map(|(meta, bytes)| Snapshot { meta, snapshot: Box::new(Cursor::new(bytes)) }))
    }
}

impl RaftSnapshotBuilder<Types> for Builder {
    async fn build_snapshot(&mut self) -> Result<Snapshot, StorageError> {
        let failed = |fault: &Fault| storage_error(ErrorSubject::Snapshot(None), ErrorVerb::Write, fault);
        let bytes = serde_json::to_vec(&self.state).map_err(|error| failed(&Fault::Content(error)))?;
        let meta = SnapshotMeta {
            last_log_id: self.state.applied,
            last_membership: self.state.membership.clone(),
            snapshot_id: self.state.applied.map_or_else(String::new, |applied| applied.to_string()),
        };
        save(&self.disk, meta.clone(), bytes.clone()).await.map_err(|fault| failed(&fault))?;
        Ok(Snapshot { meta, snapshot: Box::new(Cursor::new(bytes)) })
    }
}

/// Replaces the snapshot on disk.
async fn save(disk: &Arc<Disk>, meta: SnapshotMeta, bytes: Vec<u8>) -> Result<(), Fault> {
    blocking(disk, move |disk| {
        let mut batch = Batch::default().fact(Fact::SnapshotMeta, &meta)?;
        batch.facts.push((Fact::Snapshot, bytes));
        disk.write(&batch)
    })
    .await
}
