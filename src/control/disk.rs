//! The control group's database: log entries and a few facts, in one file or in memory.
//!
//! A commit has two phases, each with a sync. With one, redb cannot tell a page that has decayed from one that a crash
//! has torn: it would go back to the commit before and say nothing, and a vote would be forgotten.

use std::{
    fs::File,
    ops::RangeBounds,
    path::{Path, PathBuf},
    sync::Arc,
};

use redb::{
    AccessGuard, Database, Durability, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition,
    WriteTransaction,
    backends::{FileBackend, InMemoryBackend},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::task::JoinError;

use super::{
    folder::{self, Folder},
    head::mend,
    seal::{sealed, unsealed},
};

const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");
const FACTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("facts");

/// Room for pages: the database is small and read at start.
const CACHE_BYTES: usize = 4 << 20;

/// Why the database failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the control database: {0}")]
    Database(#[from] redb::Error),
    #[error("the control database holds what is not understood: {0}")]
    Content(#[from] serde_json::Error),
    #[error("the control database is damaged at {0}")]
    Damaged(String),
    #[error("the control database is damaged: {0}")]
    Unreadable(String),
    #[error("the process is ending")]
    Ending,
}

impl Fault {
    /// Why work for the disk did not end well: the library takes some damage for its own mistake.
    pub(super) fn of(ended: JoinError) -> Self {
        match ended.try_into_panic() {
            Ok(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                Fault::Unreadable(text.unwrap_or("reading it has failed").to_owned())
            }
            Err(_) => Fault::Ending,
        }
    }
}

/// One value that is replaced as a whole.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fact {
    Vote,
    Committed,
    Purged,
    SnapshotMeta,
    Snapshot,
    Named,
}

impl Fact {
    fn name(self) -> &'static str {
        match self {
            Fact::Vote => "vote",
            Fact::Committed => "committed",
            Fact::Purged => "purged",
            Fact::SnapshotMeta => "snapshot meta",
            Fact::Snapshot => "snapshot",
            Fact::Named => "named",
        }
    }
}

/// What is written in one go.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) facts: Vec<(Fact, Vec<u8>)>,
    pub(super) entries: Vec<(u64, Vec<u8>)>,
    /// Entries to remove: from here on, or up to here.
    pub(super) truncate_from: Option<u64>,
    pub(super) purge_to: Option<u64>,
}

impl Batch {
    pub(super) fn fact<T: Serialize>(mut self, fact: Fact, value: &T) -> Result<Self, Fault> {
        self.facts.push((fact, serde_json::to_vec(value)?));
        Ok(self)
    }
}

/// The database, and the lock on the folder that holds it.
pub(super) struct Disk {
    database: Database,
    /// Released when the last user of the database is gone, not before.
    folder: Option<Arc<Folder>>,
}

impl Disk {
    /// Opens the database of a data folder, or makes one in memory.
    pub(super) fn open(folder: Option<Arc<Folder>>) -> Result<Self, Fault> {
        let database = match &folder {
            Some(folder) => database_in(&folder::database(folder.path())),
            None => database_on(InMemoryBackend::new()),
        };
        Disk::of(database.map_err(Fault::Database)?, folder)
    }

    /// Opens or makes the database that a backend holds.
    #[cfg(test)]
    pub(super) fn on(backend: impl StorageBackend) -> Result<Self, Fault> {
        Disk::of(database_on(backend).map_err(Fault::Database)?, None)
    }

    fn of(database: Database, folder: Option<Arc<Folder>>) -> Result<Self, Fault> {
        let disk = Disk { database, folder };
        disk.create_tables().map_err(Fault::Database)?;
        Ok(disk)
    }

    /// Where it is.
    pub(super) fn file(&self) -> Option<PathBuf> {
        self.folder.as_deref().map(|folder| folder::database(folder.path()))
    }

    fn create_tables(&self) -> Result<(), redb::Error> {
        let transaction = self.begin()?;
        transaction.open_table(LOG)?;
        transaction.open_table(FACTS)?;
        Ok(transaction.commit()?)
    }

    fn begin(&self) -> Result<WriteTransaction, redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_two_phase_commit(true);
        Ok(transaction)
    }

    /// Forgets all there is.
    pub(super) fn clear(&self) -> Result<(), Fault> {
        let clear = || -> Result<(), redb::Error> {
            let transaction = self.begin()?;
            transaction.open_table(LOG)?.retain(|_, _| false)?;
            transaction.open_table(FACTS)?.retain(|_, _| false)?;
            Ok(transaction.commit()?)
        };
        clear().map_err(Fault::Database)
    }

    /// Writes all of it; on return it is on disk.
    pub(super) fn write(&self, batch: &Batch) -> Result<(), Fault> {
        self.commit(batch, Durability::Immediate).map_err(Fault::Database)
    }

    /// Writes what may be lost again: it reaches the disk with the next [`Disk::write`].
    pub(super) fn write_lazily(&self, batch: &Batch) -> Result<(), Fault> {
        self.commit(batch, Durability::None).map_err(Fault::Database)
    }

    fn commit(&self, batch: &Batch, durability: Durability) -> Result<(), redb::Error> {
        let mut transaction = self.begin()?;
        transaction.set_durability(durability)?;
        {
            let mut log = transaction.open_table(LOG)?;
            if let Some(from) = batch.truncate_from {
                log.retain_in(from.., |_, _| false)?;
            }
            if let Some(to) = batch.purge_to {
                log.retain_in(..=to, |_, _| false)?;
            }
            for (index, entry) in &batch.entries {
                log.insert(index, sealed(&index.to_le_bytes(), entry).as_slice())?;
            }
            let mut facts = transaction.open_table(FACTS)?;
            for (fact, value) in &batch.facts {
                facts.insert(fact.name(), sealed(fact.name().as_bytes(), value).as_slice())?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// A fact's value.
    pub(super) fn fact<T: DeserializeOwned>(&self, fact: Fact) -> Result<Option<T>, Fault> {
        self.raw_fact(fact)?.map(|bytes| serde_json::from_slice(&bytes)).transpose().map_err(Fault::Content)
    }

    /// A fact's bytes.
    pub(super) fn raw_fact(&self, fact: Fact) -> Result<Option<Vec<u8>>, Fault> {
        let read = || -> Result<_, redb::Error> {
            let facts = self.database.begin_read()?.open_table(FACTS)?;
            Ok(facts.get(fact.name())?.map(|value| value.value().to_vec()))
        };
        let Some(value) = read().map_err(Fault::Database)? else { return Ok(None) };
        let bytes = unsealed(fact.name().as_bytes(), &value);
        let bytes = bytes.ok_or_else(|| Fault::Damaged(format!("its {}", fact.name())))?;
        Ok(Some(bytes.to_vec()))
    }

    /// The entries in a range, in order.
    pub(super) fn entries<T: DeserializeOwned>(&self, range: impl RangeBounds<u64>) -> Result<Vec<T>, Fault> {
        let read = || -> Result<Vec<Stored>, redb::Error> {
            let log = self.database.begin_read()?.open_table(LOG)?;
            log.range(range)?.map(|item| item.map(Stored::from).map_err(redb::Error::from)).collect()
        };
        decoded(&read().map_err(Fault::Database)?)
    }

    /// The first entries from `start` on and before `end`, up to `most` bytes of them; at least one if there is one.
    pub(super) fn entries_within<T: DeserializeOwned>(
        &self,
        start: u64,
        end: u64,
        most: usize,
    ) -> Result<Vec<T>, Fault> {
        let read = || -> Result<Vec<Stored>, redb::Error> {
            let log = self.database.begin_read()?.open_table(LOG)?;
            let (mut raw, mut bytes) = (Vec::new(), 0);
            for item in log.range(start..end)? {
                let stored = Stored::from(item?);
                bytes += stored.value.len();
                if bytes > most && !raw.is_empty() {
                    break;
                }
                raw.push(stored);
            }
            Ok(raw)
        };
        decoded(&read().map_err(Fault::Database)?)
    }

    /// The last entry.
    pub(super) fn last_entry<T: DeserializeOwned>(&self) -> Result<Option<T>, Fault> {
        let read = || -> Result<_, redb::Error> {
            let log = self.database.begin_read()?.open_table(LOG)?;
            Ok(log.last()?.map(Stored::from))
        };
        read().map_err(Fault::Database)?.map(|stored| stored.decoded()).transpose()
    }
}

fn database_in(file: &Path) -> Result<Database, redb::Error> {
    let file = File::options().read(true).write(true).create(true).truncate(false).open(file)?;
    database_on(FileBackend::new(file)?)
}

fn database_on(backend: impl StorageBackend) -> Result<Database, redb::Error> {
    mend(&backend)?;
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    let mut database = builder.create_with_backend(backend)?;
    // Of a file that was closed in good order no sums are checked otherwise.
    database.check_integrity()?;
    Ok(database)
}

/// An entry as it is stored.
struct Stored {
    index: u64,
    value: Vec<u8>,
}

impl From<(AccessGuard<'_, u64>, AccessGuard<'_, &'static [u8]>)> for Stored {
    fn from((index, value): (AccessGuard<'_, u64>, AccessGuard<'_, &'static [u8]>)) -> Self {
        Stored { index: index.value(), value: value.value().to_vec() }
    }
}

impl Stored {
    fn decoded<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let bytes = unsealed(&self.index.to_le_bytes(), &self.value)
            .ok_or_else(|| Fault::Damaged(format!("entry {} of its log", self.index)))?;
        Ok(serde_json::from_slice(bytes)?)
    }
}

fn decoded<T: DeserializeOwned>(raw: &[Stored]) -> Result<Vec<T>, Fault> {
    raw.iter().map(Stored::decoded).collect()
}

/// Runs what waits for the disk where waiting harms nobody.
pub(super) async fn blocking<T: Send + 'static>(
    disk: &Arc<Disk>,
    work: impl FnOnce(&Disk) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let disk = Arc::clone(disk);
    let done = tokio::task::spawn_blocking(move || work(&disk)).await;
    done.unwrap_or_else(|ended| Err(Fault::of(ended)))
}

/// Opens the database of a folder at `path`, for tests.
#[cfg(test)]
pub(super) fn open_at(path: &Path) -> Disk {
    Disk::open(Some(Arc::new(Folder::open(path).unwrap()))).unwrap()
}
