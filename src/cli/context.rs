//! What every command is given: how to speak, whom to ask.

use std::{path::Path, sync::Arc};

use super::{failure::Result, output::Output, rows::unreadable};
use crate::types::Error;

/// What every command is given.
#[derive(Clone, Debug)]
pub(super) struct Context {
    /// Where data, hints and progress go.
    pub(super) output: Output,
    /// The addresses to connect to, in the order of preference.
    pub(super) addr: Arc<[String]>,
}

impl Context {
    pub(super) fn new(output: Output, addr: Vec<String>) -> Self {
        Context { output, addr: addr.into() }
    }

    /// Runs a command that talks to the cluster.
    pub(super) fn block_on<T>(&self, command: impl Future<Output = Result<T>>) -> Result<T> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::internal(format!("cannot start the threads: {error}")))?;
        runtime.block_on(command)
    }
}

/// Reads a file that the user named.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| unreadable(path, &error).into())
}

/// Reads a text file that the user named.
pub(super) fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error).into())
}
