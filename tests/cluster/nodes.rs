//! Several nodes in this process, each with a runtime of its own, so that one can be ended without a word.

use std::{path::PathBuf, time::Duration};

use embergrid::{
    client::Client,
    node::{Grid, Node, Options},
    server::{Limits, Server},
};
use tokio::runtime::{Builder, Runtime};

/// Far more than anything takes: reached, something hangs.
const HANGS: Duration = Duration::from_secs(60);

/// A cluster of this process.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Member>,
    options: Options,
    folder: tempfile::TempDir,
}

/// One node of it.
pub(crate) struct Member {
    pub(crate) address: String,
    peer_address: String,
    /// None once it was killed.
    living: Option<Living>,
}

/// What a killed node has no more. To hold its grid is to hold its folder.
struct Living {
    grid: Grid,
    runtime: Runtime,
}

/// What the clusters of tests are founded with.
pub(crate) fn options() -> Options {
    Options {
        partition_count: 13,
        backup_count: 2,
        min_in_sync: 1,
        secret: b"a secret of the tests".to_vec(),
        peer_listen: "127.0.0.1:0".to_owned(),
        // A busy machine is no dead node.
        failure_timeout: Duration::from_secs(3),
        score_threads: Some(1),
        workers: Some(2),
        ..Options::default()
    }
}

impl Cluster {
    /// Founds a cluster of `count` nodes.
    pub(crate) async fn found(count: u32) -> Self {
        Cluster::found_with(count, options()).await
    }

    /// Founds a cluster of `count` nodes. The ports are chosen before, so that each can name the others.
    pub(crate) async fn found_with(count: u32, options: Options) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ports: Vec<String> = (0..count).map(|_| free_port()).collect();
        let options = Options { seeds: ports.clone(), expect: Some(count), ..options };
        let starting = ports.into_iter().enumerate().map(|(number, peers)| {
            tokio::spawn(Member::start(options.clone(), folder.path().join(number.to_string()), peers, None))
        });
        let starting: Vec<_> = starting.collect();
        let mut nodes = Vec::new();
        for node in starting {
            nodes.push(soon(node).await.expect("no panic"));
        }
        let cluster = Cluster { nodes, options, folder };
        // A cluster whose founder dies before the others vote has nobody to take over.
        cluster.wait_until("every node votes", |grid| grid.voters().len() == count as usize).await;
        cluster
    }

    /// A client that knows the address of one node.
    pub(crate) async fn client(&self, node: usize) -> Client {
        Client::connect(&self.nodes[node].address).await.expect("a client connects")
    }

    /// A client that knows the addresses of all nodes.
    pub(crate) async fn client_of_all(&self) -> Client {
        let addresses: Vec<&str> = self.nodes.iter().map(|node| node.address.as_str()).collect();
        Client::connect(addresses.join(",")).await.expect("a client connects")
    }

    /// Ends a node with all its sockets, without a word to anybody.
    pub(crate) fn kill(&mut self, node: usize) {
        self.nodes[node].end();
    }

    /// Starts a killed node again, with its folder and its addresses.
    pub(crate) async fn restart(&mut self, node: usize) {
        let Member { address, peer_address, .. } = &self.nodes[node];
        let folder = self.folder.path().join(node.to_string());
        let start = Member::start(self.options.clone(), folder, peer_address.clone(), Some(address.clone()));
        self.nodes[node] = soon(tokio::spawn(start)).await.expect("no panic");
    }

    /// A living node.
    pub(crate) fn grid(&self, node: usize) -> &Grid {
        self.nodes[node].living().expect("it lives")
    }

    /// Returns when every living node sees the cluster so.
    pub(crate) async fn wait_until(&self, what: &str, is_so: impl Fn(&Grid) -> bool) {
        let waiting = async {
            for grid in self.nodes.iter().filter_map(Member::living) {
                while !is_so(grid) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        };
        let outcome = tokio::time::timeout(HANGS, waiting).await;
        outcome.unwrap_or_else(|_| panic!("it does not come to that: {what}\n{}", self.seen()));
    }

    /// How the living nodes see the cluster.
    fn seen(&self) -> String {
        let told = |grid: &Grid| {
            let catalogue = grid.catalogue();
            let up: Vec<_> = catalogue.up().into_iter().collect();
            format!("node {:?} at {:?}: {up:?} are up\n", grid.me(), catalogue.placement)
        };
        self.nodes.iter().filter_map(Member::living).map(told).collect()
    }

    /// Returns when every partition has all its replicas.
    pub(crate) async fn wait_until_healthy(&self) {
        let is_healthy = |grid: &Grid| {
            let catalogue = grid.catalogue();
            let mut held = catalogue.configurations().iter();
            held.all(|held| catalogue.health(held) == embergrid::catalog::Health::Healthy)
                && catalogue.members().all(|member| member.is_up())
        };
        self.wait_until("healthy", is_healthy).await;
    }
}

impl Member {
    /// On a runtime of its own.
    async fn start(options: Options, folder: PathBuf, peers: String, address: Option<String>) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let serving = {
            let peers = peers.clone();
            runtime.spawn(async move {
                let server = bind(address.as_deref().unwrap_or("127.0.0.1:0")).await;
                let address = server.address().expect("a bound socket").to_string();
                let options = Options {
                    data_dir: Some(folder),
                    peer_listen: peers,
                    advertise: address.clone(),
                    ..options
                };
                let node = start(options).await;
                let grid = node.grid();
                let served = server.serve(grid.clone(), Limits::default(), std::future::pending());
                tokio::spawn(async move {
                    // The node lives as long as it is served: until its runtime ends.
                    let _node = node;
                    let _ = served.await;
                });
                (address, grid)
            })
        };
        let (address, grid) = soon(serving).await.expect("the node starts");
        Member { address, peer_address: peers, living: Some(Living { grid, runtime }) }
    }

    /// None once it was killed.
    pub(crate) fn living(&self) -> Option<&Grid> {
        self.living.as_ref().map(|living| &living.grid)
    }

    fn end(&mut self) {
        if let Some(Living { grid, runtime }) = self.living.take() {
            drop(grid);
            runtime.shutdown_background();
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.end();
    }
}

/// The sockets and the folder of a node that was killed are let go by tasks of its runtime, in a moment.
async fn start(options: Options) -> Node {
    loop {
        match Node::start(options.clone()).await {
            Ok(node) => return node,
            Err(error) => eprintln!("not yet: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn bind(address: &str) -> Server {
    loop {
        if let Ok(server) = Server::bind(address).await {
            return server;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A port that nobody listens at: the system gives none twice in a short time.
fn free_port() -> String {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.local_addr().expect("a bound socket").to_string()
}

/// Fails where something hangs.
pub(crate) async fn soon<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANGS, event).await.expect("something hangs")
}
