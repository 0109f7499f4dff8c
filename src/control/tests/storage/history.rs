//! What a seed has a node write to its log, and what must be found afterwards.

use std::{collections::BTreeMap, io::Cursor, sync::Arc};

use openraft::{
    BasicNode, EntryPayload, Membership, RaftSnapshotBuilder,
    storage::{RaftLogStorage, RaftLogStorageExt, RaftStateMachine},
    testing::log_id,
};
use tokio::task::spawn_blocking;

use super::{
    super::model,
    dice::Dice,
    platter::{Platter, Step},
};
use crate::{
    catalog::{Command, Founding, MapFile, Node},
    control::{
        blobs::Blobs,
        disk::{Disk, Fact, Fault},
        log::Log,
        machine::Machine,
        opened::Opened,
        raft::{Entry, LogId, SnapshotMeta, StorageError, Vote},
    },
    types::NodeId,
};

/// The node whose disk it is.
const ME: NodeId = NodeId(1);

/// What is found on a disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Kept {
    pub(super) vote: Option<Vote>,
    pub(super) entries: BTreeMap<u64, Entry>,
    pub(super) purged: Option<LogId>,
    pub(super) snapshot: Option<(SnapshotMeta, Vec<u8>)>,
    /// As last written.
    pub(super) committed: Option<LogId>,
    /// The commit point is written lazily: it may be lost back to here.
    pub(super) surely_committed: Option<LogId>,
}

impl Kept {
    /// Whether that is what a disk may hold of this.
    pub(super) fn may_be(&self, found: &Kept) -> bool {
        let Kept { committed, surely_committed, .. } = found.clone();
        *found == Kept { committed, surely_committed, ..self.clone() }
            && self.surely_committed <= committed
            && committed <= self.committed
    }

    /// The last entry, be it there or purged.
    fn last(&self) -> Option<LogId> {
        self.entries.last_key_value().map(|(_, entry)| entry.log_id).max(self.purged)
    }

    /// The last index that the snapshot covers.
    fn covered(&self) -> Option<LogId> {
        self.snapshot.as_ref().and_then(|(meta, _)| meta.last_log_id)
    }

    fn between(&self, after: Option<LogId>, to: LogId) -> Vec<Entry> {
        let first = after.map_or(0, |after| after.index + 1);
        self.entries.range(first..to.index + 1).map(|(_, entry)| entry.clone()).collect()
    }
}

/// What openraft asks of the storage.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    Vote(Vote),
    Append(Vec<Entry>),
    Truncate(LogId),
    /// Saves the commit point, and applies what it commits.
    Commit(Vec<Entry>),
    Build(SnapshotMeta, Vec<u8>),
    Install(SnapshotMeta, Vec<u8>),
    Purge(LogId),
    /// The process ends in good order, and starts again.
    Restart,
}

impl Operation {
    /// What is to be found after it.
    pub(super) fn after(&self, before: &Kept) -> Kept {
        let mut kept = before.clone();
        match self {
            Operation::Vote(vote) => kept.vote = Some(*vote),
            Operation::Append(entries) => {
                kept.entries.extend(entries.iter().map(|entry| (entry.log_id.index, entry.clone())));
            }
            Operation::Truncate(from) => drop(kept.entries.split_off(&from.index)),
            Operation::Commit(entries) => {
                kept.committed = entries.last().map(|entry| entry.log_id);
                return kept;
            }
            Operation::Build(meta, bytes) | Operation::Install(meta, bytes) => {
                kept.snapshot = Some((meta.clone(), bytes.clone()));
            }
            Operation::Purge(to) => {
                kept.entries = kept.entries.split_off(&(to.index + 1));
                kept.purged = Some(*to);
            }
            Operation::Restart => {}
        }
        // Every write that is synced takes along what was written lazily.
        kept.surely_committed = kept.committed;
        kept
    }

    /// How the tests count it.
    fn kind(&self) -> &'static str {
        match self {
            Operation::Vote(_) => "vote",
            Operation::Append(_) => "append",
            Operation::Truncate(_) => "truncate",
            Operation::Commit(_) => "commit",
            Operation::Build(..) => "build",
            Operation::Install(..) => "install",
            Operation::Purge(_) => "purge",
            Operation::Restart => "restart",
        }
    }
}

/// What a seed has a node do, one after the other.
pub(super) struct Script {
    dice: Dice,
    /// As after the last operation.
    kept: Kept,
    term: u64,
    leader: u64,
    /// Applies what is committed, so that it is known what snapshots are to be.
    shadow: Machine,
    applied: Option<LogId>,
    operations: Vec<Operation>,
}

impl Script {
    /// At least so many operations, and some of each kind.
    pub(super) async fn of(seed: u64, count: usize) -> Vec<Operation> {
        let disk = Arc::new(Disk::open(None).unwrap());
        let mut script = Script {
            dice: Dice::new(seed),
            kept: Kept::default(),
            term: 0,
            leader: 0,
            shadow: Machine::open(disk).unwrap(),
            applied: None,
            operations: Vec::new(),
        };
        script.vote();
        script.found();
        while script.operations.len() < count || script.kinds() < 8 {
            script.next().await;
        }
        script.operations
    }

    fn kinds(&self) -> usize {
        let kinds: std::collections::BTreeSet<_> = self.operations.iter().map(Operation::kind).collect();
        kinds.len()
    }

    fn push(&mut self, operation: Operation) {
        self.kept = operation.after(&self.kept);
        self.operations.push(operation);
    }

    async fn next(&mut self) {
        match self.dice.below(20) {
            0..4 => self.vote(),
            4..10 => self.append(),
            10..12 => self.truncate(),
            12..15 => self.commit().await,
            15..17 => self.build().await,
            17 => self.purge(),
            18 => self.install().await,
            _ => self.push(Operation::Restart),
        }
    }

    fn vote(&mut self) {
        self.term += 1;
        self.leader = self.dice.between(1, 3);
        let vote = match self.dice.chance(50) {
            true => Vote::new_committed(self.term, self.leader),
            false => Vote::new(self.term, self.leader),
        };
        self.push(Operation::Vote(vote));
    }

    /// The entries that a cluster begins with.
    fn found(&mut self) {
        let node = |id: NodeId| Node {
            id,
            name: format!("node-{id}"),
            address: "127.0.0.1:1".into(),
            peer_address: "127.0.0.1:2".into(),
        };
        let voters = (1..=3).map(|id| (id, BasicNode::new("127.0.0.1:2"))).collect::<BTreeMap<u64, _>>();
        let membership = Membership::new(vec![voters.keys().copied().collect()], voters);
        let founding = Command::Found(Founding::alone(7, 4, node(ME)));
        let payloads = [EntryPayload::Membership(membership), EntryPayload::Normal(founding)];
        let entries = payloads.into_iter().enumerate().map(|(index, payload)| {
            let log_id = log_id(self.term, self.leader, index as u64);
            Entry { log_id, payload }
        });
        let entries = entries.collect();
        self.push(Operation::Append(entries));
    }

    fn append(&mut self) {
        let count = self.dice.between(1, 5);
        let entries = self.entries(count);
        self.push(Operation::Append(entries));
    }

    /// So many entries for the end of the log.
    fn entries(&mut self, count: u64) -> Vec<Entry> {
        let next = self.kept.last().max(self.kept.covered()).map_or(0, |last| last.index + 1);
        let entries = (next..next + count).map(|index| {
            let payload = match self.dice.below(8) {
                0 => EntryPayload::Blank,
                1..4 => {
                    EntryPayload::Normal(Command::GrantSessions { count: self.dice.between(1, 9) as u32 })
                }
                // Long enough for pages of its own.
                4 if self.dice.chance(40) => {
                    let features = (0..self.dice.between(20, 90)).map(|number| format!("{number:0200}"));
                    EntryPayload::Normal(model(&format!("m{index}"), b"", features.collect()))
                }
                _ => EntryPayload::Normal(Command::CreateMap(MapFile::plain(format!("map-{index}")))),
            };
            Entry { log_id: log_id(self.term, self.leader, index), payload }
        });
        entries.collect()
    }

    /// Nothing that is committed is ever truncated.
    fn truncate(&mut self) {
        let first = self.kept.committed.max(self.kept.covered()).map_or(2, |last| last.index + 1);
        let Some(last) = self.kept.last().filter(|last| last.index >= first) else { return };
        let from = self.dice.between(first.max(last.index.saturating_sub(4)), last.index);
        self.push(Operation::Truncate(self.kept.entries[&from].log_id));
    }

    async fn commit(&mut self) {
        let first = self.applied.map_or(0, |applied| applied.index + 1);
        let Some(last) = self.kept.last().filter(|last| last.index >= first) else { return };
        let to = self.kept.entries[&self.dice.between(first, last.index)].log_id;
        let entries = self.kept.between(self.applied, to);
        self.apply(&entries).await;
        self.push(Operation::Commit(entries));
    }

    async fn apply(&mut self, entries: &[Entry]) {
        self.shadow.apply(entries.to_vec()).await.unwrap();
        self.applied = entries.last().map(|entry| entry.log_id);
    }

    async fn build(&mut self) {
        if self.applied > self.kept.covered() {
            let (meta, bytes) = self.snapshot().await;
            self.push(Operation::Build(meta, bytes));
        }
    }

    async fn snapshot(&mut self) -> (SnapshotMeta, Vec<u8>) {
        let snapshot = self.shadow.get_snapshot_builder().await.build_snapshot().await.unwrap();
        (snapshot.meta, snapshot.snapshot.into_inner())
    }

    fn purge(&mut self) {
        let first = self.kept.purged.map_or(0, |purged| purged.index + 1);
        let Some(covered) = self.kept.covered().filter(|covered| covered.index >= first) else { return };
        let to = self.kept.entries[&self.dice.between(first, covered.index)].log_id;
        self.push(Operation::Purge(to));
    }

    /// A leader that is far ahead sends a snapshot, which stands in for the whole log.
    async fn install(&mut self) {
        let Some(last) = self.kept.last() else { return };
        let rest = self.kept.between(self.applied, last);
        let count = self.dice.between(1, 5);
        let ahead = self.entries(count);
        self.apply(&[rest, ahead].concat()).await;
        let (meta, bytes) = self.snapshot().await;
        let purge = Operation::Purge(meta.last_log_id.unwrap());
        self.push(Operation::Install(meta, bytes));
        self.push(purge);
    }
}

/// A node's storage, in use.
pub(super) struct Storage {
    pub(super) log: Log,
    pub(super) machine: Machine,
    disk: Arc<Disk>,
}

impl Storage {
    /// Opens what a disk holds, as a node does.
    pub(super) async fn open(platter: &Platter) -> Result<Self, Fault> {
        let backend = platter.clone();
        let opened = spawn_blocking(move || Opened::read(ME, Disk::on(backend)?, Blobs::in_memory()));
        let Opened { disk, machine, .. } = opened.await.unwrap_or_else(|ended| Err(Fault::of(ended)))?;
        let mut log = Log::new(Arc::clone(&disk));
        // openraft asks for it first; what is damaged is found again by whoever looks.
        let _ = log.get_log_state().await;
        Ok(Storage { log, machine, disk })
    }

    /// All that is found.
    pub(super) fn kept(&self) -> Result<Kept, Fault> {
        let entries: Vec<Entry> = self.disk.entries(..)?;
        let committed = self.disk.fact::<Option<LogId>>(Fact::Committed)?.flatten();
        Ok(Kept {
            vote: self.disk.fact(Fact::Vote)?,
            entries: entries.into_iter().map(|entry| (entry.log_id.index, entry)).collect(),
            purged: self.disk.fact(Fact::Purged)?,
            snapshot: self.disk.fact(Fact::SnapshotMeta)?.zip(self.disk.raw_fact(Fact::Snapshot)?),
            committed,
            surely_committed: committed,
        })
    }

    /// Applies what is committed, as openraft does at a start.
    pub(super) async fn catch_up(&mut self, kept: &Kept) {
        let (applied, _) = self.machine.applied_state().await.unwrap();
        if let Some(committed) = kept.committed.filter(|committed| Some(*committed) > applied) {
            self.machine.apply(kept.between(applied, committed)).await.unwrap();
        }
    }

    /// All but a restart.
    pub(super) async fn perform(&mut self, operation: &Operation) -> Result<(), StorageError> {
        match operation {
            Operation::Vote(vote) => self.log.save_vote(vote).await,
            Operation::Append(entries) => self.log.blocking_append(entries.clone()).await,
            Operation::Truncate(from) => self.log.truncate(*from).await,
            Operation::Commit(entries) => {
                self.log.save_committed(entries.last().map(|entry| entry.log_id)).await?;
                self.machine.apply(entries.clone()).await.map(drop)
            }
            Operation::Build(..) => {
                self.machine.get_snapshot_builder().await.build_snapshot().await.map(drop)
            }
            Operation::Install(meta, bytes) => {
                self.machine.install_snapshot(meta, Box::new(Cursor::new(bytes.clone()))).await
            }
            Operation::Purge(to) => self.log.purge(*to).await,
            Operation::Restart => Ok(()),
        }
    }
}

/// What became of a disk.
pub(super) struct History {
    pub(super) steps: Vec<Step>,
    /// After each operation, the opening as the first one.
    pub(super) marks: Vec<Mark>,
    /// The disk when the process is killed after the last operation, and when it ends in good order.
    pub(super) killed: Vec<u8>,
    pub(super) closed: Vec<u8>,
}

/// An operation was acknowledged.
pub(super) struct Mark {
    /// The steps of the disk until then.
    pub(super) steps: usize,
    /// What is there from then on.
    pub(super) kept: Kept,
    /// What the system reads then.
    pub(super) bytes: Vec<u8>,
}

impl Mark {
    /// What is there if the process is killed, and was so at that mark before as well.
    pub(super) fn at_worst(&self, before: &Mark) -> Kept {
        Kept { surely_committed: before.kept.surely_committed, ..self.kept.clone() }
    }
}

impl History {
    /// Has a node do all that on a new disk.
    pub(super) async fn of(operations: &[Operation]) -> Self {
        let platter = Platter::default();
        let mut storage = Storage::open(&platter).await.unwrap();
        let mark = |kept: Kept| Mark { steps: platter.step_count(), kept, bytes: platter.bytes() };
        let mut marks = vec![mark(Kept::default())];
        for operation in operations {
            let before = &marks[marks.len() - 1].kept;
            let kept = operation.after(before);
            if matches!(operation, Operation::Restart) {
                drop(storage);
                storage = Storage::open(&platter).await.unwrap();
                storage.catch_up(&kept).await;
            }
            storage.perform(operation).await.unwrap();
            marks.push(mark(kept));
        }
        let killed = platter.bytes();
        drop(storage);
        History { steps: platter.steps(), marks, killed, closed: platter.bytes() }
    }

    /// What may be found after a crash: as after the last acknowledged operation, or with the next one as well.
    pub(super) fn possible(&self, steps: usize) -> Vec<&Kept> {
        let acknowledged = self.marks.partition_point(|mark| mark.steps <= steps);
        let marks = &self.marks[acknowledged.saturating_sub(1)..self.marks.len().min(acknowledged + 1)];
        marks.iter().map(|mark| &mark.kept).collect()
    }
}
