//! The nodes of a bench, and a client that knows them all.

use std::time::Duration;

use embergrid::client::Client;
use embergrid::wire::v1::StatusReply;
use tokio::runtime::{Builder, Runtime};

use crate::clock::now;
use crate::harness::Server;

/// A cluster that needs longer than this for anything hangs.
const HANGS: Duration = Duration::from_secs(120);

/// Three nodes with the default settings.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Server>,
    pub(crate) client: Client,
    /// One thread for all callers: the bench itself waits for processes meanwhile.
    pub(crate) runtime: Runtime,
}

impl Cluster {
    pub(crate) fn found() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let nodes = Server::nodes(3, &[]);
        let client = runtime.block_on(connect(&nodes));
        Self { nodes, client, runtime }
    }

    /// Another client.
    pub(crate) async fn connect(&self) -> Client {
        connect(&self.nodes).await
    }

    /// Returns the first status of which `is_so` is true; with what is said of each partition, if that is asked for.
    pub(crate) fn wait_for(
        &self,
        what: &str,
        partitions: bool,
        is_so: impl Fn(&StatusReply) -> bool,
    ) -> StatusReply {
        wait_until(what, || match self.runtime.block_on(self.client.status(partitions)) {
            Ok(status) if is_so(&status) => Ok(status),
            otherwise => Err(format!("{:?}", otherwise.map(|status| (status.nodes, status.totals)))),
        })
    }
}

async fn connect(nodes: &[Server]) -> Client {
    let addresses: Vec<String> = nodes.iter().map(Server::address).collect();
    Client::connect(addresses.join(",")).await.expect("the nodes answer")
}

/// Looks again and again until it is so; a look says how it stands otherwise.
pub(crate) fn wait_until<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let start = now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(stands) => assert!(start.elapsed() < HANGS, "it does not come to that: {what}: {stands}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
