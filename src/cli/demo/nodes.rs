//! The demo's nodes: in this process, each on a runtime of its own, with its own data folder and its own sockets.

use std::{future::pending, io, net::UdpSocket};

use ring::rand::{SecureRandom, SystemRandom};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{
    cli::running::Running,
    node::{self, Grid},
    server::{Limits, Server},
    types::{Error, NodeId, Result},
};

/// Random bytes of the secret by which the nodes of one demo know each other.
const SECRET_BYTES: usize = 32;

/// The cluster of the demo.
pub(super) struct Nodes {
    nodes: Vec<DemoNode>,
    /// Where they keep their definitions, until the demo is over.
    _folder: TempDir,
}

struct DemoNode {
    address: String,
    grid: Grid,
    /// None once it was ended.
    runtime: Option<Runtime>,
}

impl Nodes {
    /// Starts `count` nodes, which found a cluster.
    pub(super) async fn start(count: u32) -> Result<Self> {
        let folder = tempfile::tempdir().map_err(failed("a folder for the demo"))?;
        let ports =
            (0..count).map(|_| free_port()).collect::<io::Result<Vec<_>>>().map_err(failed("a port"))?;
        let options = options(&ports)?;
        let mut starting = Vec::new();
        for (number, peer_listen) in ports.into_iter().enumerate() {
            let data_dir = Some(folder.path().join(format!("node-{}", number + 1)));
            let name = Some(format!("node-{}", number + 1));
            let options = node::Options { data_dir, name, peer_listen, ..options.clone() };
            starting.push(tokio::spawn(DemoNode::start(options)));
        }
        let mut nodes = Vec::new();
        for node in starting {
            let started =
                node.await.map_err(|panic| Error::internal(format!("a node did not start: {panic}")))?;
            nodes.push(started?);
        }
        Ok(Nodes { nodes, _folder: folder })
    }

    /// Where clients reach the nodes that run.
    pub(super) fn addresses(&self) -> String {
        let running = self.nodes.iter().filter(|node| node.runtime.is_some());
        running.map(|node| node.address.as_str()).collect::<Vec<_>>().join(",")
    }

    /// Ends the node that is primary of the most partitions, its runtime and its sockets, without a word to anybody. Gives
    /// its name and how many partitions those were; none if there is nobody to take over.
    pub(super) fn kill_busiest(&mut self) -> Option<(String, usize)> {
        if self.nodes.len() < 2 {
            return None;
        }
        let catalogue = self.nodes.first()?.grid.catalogue();
        let primaries = |node: NodeId| {
            let held = catalogue.configurations().iter();
            held.filter(|held| held.primary_node() == Some(node)).count()
        };
        let running = self.nodes.iter_mut().filter(|node| node.runtime.is_some());
        let busiest = running.max_by_key(|node| primaries(node.grid.me()))?;
        let me = busiest.grid.me();
        busiest.runtime.take()?.shutdown_background();
        let name = catalogue.member(me).map(|member| member.node.name.clone()).unwrap_or_default();
        Some((name, primaries(me)))
    }

    /// Ends what still runs.
    pub(super) fn end(self) {
        self.nodes.into_iter().filter_map(|node| node.runtime).for_each(Runtime::shutdown_background);
    }
}

impl DemoNode {
    async fn start(options: node::Options) -> Result<Self> {
        let runtime = node::runtime()?;
        let started = runtime.spawn(async move {
            let server = Server::bind("127.0.0.1:0").await?;
            let address = server.address()?.to_string();
            let options = node::Options { advertise: address.clone(), ..options };
            let running = Running::start(server, options, Limits::default()).await?;
            let grid = running.grid();
            // It runs until its runtime ends.
            tokio::spawn(async move {
                let _running = running;
                pending::<()>().await;
            });
            Ok::<_, Error>((address, grid))
        });
        let started =
            started.await.map_err(|panic| Error::internal(format!("a node did not start: {panic}")));
        match started.flatten() {
            Ok((address, grid)) => Ok(DemoNode { address, grid, runtime: Some(runtime) }),
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }
}

/// What all nodes have in common, those of one cluster at these ports.
fn options(ports: &[String]) -> Result<node::Options> {
    if ports.len() < 2 {
        return Ok(node::Options::default());
    }
    let mut secret = vec![0; SECRET_BYTES];
    SystemRandom::new()
        .fill(&mut secret)
        .map_err(|_| Error::unavailable("the system has no random numbers"))?;
    let expect = u32::try_from(ports.len()).ok();
    Ok(node::Options { seeds: ports.to_vec(), expect, secret, ..node::Options::default() })
}

/// A port of this machine that nobody listens at. It is let go at once, so that a node can have it.
fn free_port() -> io::Result<String> {
    Ok(UdpSocket::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

fn failed(what: &'static str) -> impl Fn(io::Error) -> Error {
    move |error| Error::unavailable(format!("{what}: {error}"))
}
