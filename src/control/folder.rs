//! A node's data folder: its lock and the node's id.

use std::{
    fs::{self, File, TryLockError},
    hash::{BuildHasher, RandomState},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::types::{Error, NodeId, Result, read_toml};

const LOCK: &str = "lock";
const NODE: &str = "node.toml";

/// A data folder, locked for this process.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    node: NodeId,
    /// Held as long as the folder is in use; the system releases it with the process.
    _lock: File,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeFile {
    format: u32,
    /// In hexadecimal.
    node: String,
}

impl Folder {
    /// Creates the folder if need be, and locks it.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let refuse = |error: io::Error| {
            Error::invalid(format!("the data folder `{}` cannot be used: {error}", path.display()))
                .hint("give a folder that this user may write to: `--data-dir DIR`")
        };
        fs::create_dir_all(path).map_err(refuse)?;
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
        let node = match fs::read_to_string(path.join(NODE)) {
            Ok(text) => read_node(&path.join(NODE), &text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => write_node(path).map_err(refuse)?,
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

fn read_node(path: &Path, text: &str) -> Result<NodeId> {
    let place = path.display().to_string();
    let file: NodeFile = read_toml(&place, text)?;
    if file.format != 1 {
        return Err(Error::invalid(format!("{place}: format = {} is not known", file.format))
            .hint("the folder was written by a later release"));
    }
    let id = u64::from_str_radix(&file.node, 16).ok().filter(|id| *id != 0);
    id.map(NodeId).ok_or_else(|| {
        Error::invalid(format!("{place}: `{}` is not a node's id", file.node.escape_debug()))
            .hint("16 hexadecimal digits, not all zero")
    })
}

fn write_node(folder: &Path) -> io::Result<NodeId> {
    let node = NodeId(random());
    write_whole(folder, NODE, format!("format = 1\nnode = \"{:016x}\"\n", node.0).as_bytes())?;
    Ok(node)
}

/// Writes a file so that it is there whole or not at all, whenever the process ends.
pub(super) fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = folder.join(format!("{name}{TEMPORARY}"));
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, folder.join(name))?;
    File::open(folder)?.sync_all()
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
