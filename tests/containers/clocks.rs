//! The nodes' time of day, which a library in their processes moves by what a file says (`docker/tests/clock.c`).

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::Told;
use crate::nodes::Node;

/// A folder with a file a node.
pub(crate) struct Clocks(PathBuf);

impl Clocks {
    /// Those of a cluster that has them.
    pub(crate) fn of(folder: Option<&Path>) -> Told<Self> {
        folder.map(|folder| Self(folder.to_owned())).ok_or_else(|| "the nodes' clocks cannot be moved".into())
    }

    /// From now on the node's clock is off by so many seconds.
    pub(crate) fn set(&self, node: Node, seconds: i64) -> Told<()> {
        let path = self.0.join(node.name());
        let offset = (seconds * 1_000_000_000).to_le_bytes();
        // In place: the node has the file mapped.
        let file = OpenOptions::new().write(true).open(&path);
        let written = file.and_then(|file| file.write_all_at(&offset, 0));
        written.map_err(|error| format!("{}: {error}", path.display()))
    }
}
