//! What every command is given: how to speak, whom to ask.

use std::{fs, path::Path, sync::Arc};

use super::{failure::Result, output::Output, rows::unreadable};
use crate::{
    client::{self, Client, Map},
    types::{self, Error},
};

/// What every command is given.
#[derive(Clone, Debug)]
pub(super) struct Context {
    /// Where data, hints and progress go.
    pub(super) output: Output,
    /// The addresses to connect to, in the order of preference.
    addresses: Arc<[String]>,
}

impl Context {
    pub(super) fn new(output: Output, addresses: Vec<String>) -> Self {
        Context { output, addresses: addresses.into() }
    }

    /// Connects to the first address that answers.
    pub(super) async fn connect(&self) -> Result<Client> {
        self.connect_by(1).await
    }

    /// Connects with several connections, which the callers share.
    pub(super) async fn connect_by(&self, connections: usize) -> Result<Client> {
        let options = client::Options::new(self.addresses.iter().cloned());
        Ok(Client::with_options(client::Options { connections, ..options }).await?)
    }

    /// Connects and opens a map.
    pub(super) async fn map(&self, name: &str) -> Result<Map> {
        Ok(self.connect().await?.map(name).await?)
    }

    /// The address that is preferred.
    pub(super) fn first_address(&self) -> &str {
        self.addresses.first().map_or("", String::as_str)
    }

    /// Runs a command that talks to the cluster.
    pub(super) fn block_on<T>(&self, command: impl Future<Output = Result<T>>) -> Result<T> {
        run(tokio::runtime::Builder::new_multi_thread(), command)
    }

    /// The same on so many threads: with one, tasks need no waking across processors.
    pub(super) fn block_on_threads<T>(
        &self,
        threads: usize,
        command: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let mut builder = match threads {
            1 => tokio::runtime::Builder::new_current_thread(),
            _ => tokio::runtime::Builder::new_multi_thread(),
        };
        builder.worker_threads(threads);
        run(builder, command)
    }
}

fn run<T>(mut builder: tokio::runtime::Builder, command: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = builder
        .enable_all()
        .build()
        .map_err(|error| Error::internal(format!("cannot start the threads: {error}")))?;
    runtime.block_on(command)
}

/// Reads a text file that the user named.
pub(super) fn read_text(path: &Path) -> types::Result<String> {
    fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}
