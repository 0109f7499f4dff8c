//! A node's data folder: its lock and the node's id.
//!
//! The file of the control group's log is there before the id is: a node that has one and no log has lost it, and with
//! it the votes that it has given.

use std::{
    fs::{self, File, TryLockError},
    hash::{BuildHasher, RandomState},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::seal::sum;
use crate::types::{Error, NodeId, Result, read_toml};

const LOCK: &str = "lock";
const NODE: &str = "node.toml";
const DATABASE: &str = "control.redb";
const FORMAT: u32 = 1;

/// What to do about a folder that cannot be used.
pub(super) const RESTORE: &str = "free some room if the disk is full; if the folder is damaged, \
     restore it from a copy, or remove it where other nodes have what it holds: the node joins them as a new one";

/// A data folder, locked for this process.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    node: NodeId,
    /// Held as long as the folder is in use; the system releases it with the process.
    _lock: File,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeFile {
    format: u32,
    /// In hexadecimal.
    node: String,
    /// Of the two above, in hexadecimal. Release 0.1 wrote none.
    sum: Option<String>,
}

impl Folder {
    /// Creates the folder if need be, and locks it.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let refuse = |error: io::Error| {
            Error::invalid(format!("the data folder `{}` cannot be used: {error}", path.display()))
                .hint("give a folder that this user may write to: `--data-dir DIR`")
        };
        create(path).map_err(refuse)?;
        let lock =
            File::options().create(true).truncate(false).write(true).open(path.join(LOCK)).map_err(refuse)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::conflict(format!(
                    "the data folder `{}` is in use by another node",
                    path.display()
                ))
                .hint("stop that node, or give this one a folder of its own: `--data-dir DIR`"));
            }
            Err(TryLockError::Error(error)) => return Err(refuse(error)),
        }
        let node = match fs::read(path.join(NODE)) {
            Ok(bytes) => known(path, &bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => match has_log(path) {
                true => return Err(missing(&path.join(NODE))),
                false => new(path).map_err(refuse)?,
            },
            Err(error) => return Err(refuse(error)),
        };
        Ok(Folder { path: path.to_owned(), node, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn node(&self) -> NodeId {
        self.node
    }
}

/// The file of the control group's log.
pub(super) fn database(folder: &Path) -> PathBuf {
    folder.join(DATABASE)
}

/// The node whose folder it is.
fn known(folder: &Path, bytes: &[u8]) -> Result<NodeId> {
    let place = folder.join(NODE).display().to_string();
    let (node, is_sealed) = read_node(&place, bytes).map_err(|error| error.hint(RESTORE))?;
    if !fs::exists(database(folder)).unwrap_or(true) {
        return Err(missing(&database(folder)));
    }
    if !is_sealed {
        write_node(folder, node)
            .map_err(|error| Error::internal(format!("{place}: {error}")).hint(RESTORE))?;
    }
    Ok(node)
}

fn read_node(place: &str, bytes: &[u8]) -> Result<(NodeId, bool)> {
    let damaged = |what: &str| Error::invalid(format!("{place}: {what}"));
    let text = str::from_utf8(bytes).map_err(|_| damaged("this is no text"))?;
    let NodeFile { format, node, sum } = read_toml(place, text)?;
    if format != FORMAT {
        return Err(damaged(&format!(
            "format = {format} is not known: a later release wrote it, or it is damaged"
        )));
    }
    if sum.as_ref().is_some_and(|sum| *sum != sum_of(format, &node)) {
        return Err(damaged("the sum is not that of the node"));
    }
    let id = u64::from_str_radix(&node, 16).ok().filter(|id| *id != 0);
    let id = id.ok_or_else(|| damaged(&format!("`{}` is not a node's id", node.escape_debug())))?;
    Ok((NodeId(id), sum.is_some()))
}

fn has_log(folder: &Path) -> bool {
    fs::metadata(database(folder)).is_ok_and(|file| file.len() > 0)
}

fn missing(file: &Path) -> Error {
    Error::invalid(format!("the file `{}` is missing", file.display())).hint(RESTORE)
}

/// Makes a node.
fn new(folder: &Path) -> io::Result<NodeId> {
    File::options().create(true).append(true).open(database(folder))?;
    sync(folder)?;
    let node = NodeId(random());
    write_node(folder, node)?;
    Ok(node)
}

fn write_node(folder: &Path, node: NodeId) -> io::Result<()> {
    let node = format!("{:016x}", node.0);
    let sum = sum_of(FORMAT, &node);
    write_whole(folder, NODE, format!("format = {FORMAT}\nnode = \"{node}\"\nsum = \"{sum}\"\n").as_bytes())
}

fn sum_of(format: u32, node: &str) -> String {
    let sum = sum(NODE.as_bytes(), format!("{format} {node}").as_bytes());
    format!("{:016x}", u64::from_le_bytes(sum))
}

/// Creates a folder that is still there after a crash.
pub(super) fn create(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create(parent)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !folder.is_dir() => Err(error),
        _ => sync(parent),
    }
}

/// Has the names in a folder outlive a crash.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Writes a file so that it is there whole or not at all, whenever the process ends.
pub(super) fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = folder.join(format!("{name}{TEMPORARY}"));
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, folder.join(name))?;
    sync(folder)
}

/// How the names of files end that are not whole.
pub(super) const TEMPORARY: &str = ".part";

/// An id that no other node or cluster has: the standard library's hasher is keyed by the system's randomness.
pub(super) fn random() -> u64 {
    loop {
        let random = RandomState::new().hash_one("embergrid");
        if random != 0 {
            return random;
        }
    }
}
