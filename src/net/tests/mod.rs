//! The room over loopback, with real sockets. Nothing here waits for time to pass: what is waited for is an event.

mod calls;
mod hostile;
mod messages;
mod peers;
mod warnings;

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use super::{Lane, Net, Options};
use crate::{
    telemetry::Metrics,
    types::{Incarnation, NodeId},
};

const SECRET: &[u8] = b"a secret of the tests";
const CLUSTER: u64 = 77;

/// Far more than anything takes: reached, something hangs.
const HANGS: Duration = Duration::from_secs(30);

struct Node {
    id: NodeId,
    net: Net,
    metrics: Arc<Metrics>,
}

fn options(id: u64, seeds: &[&Node]) -> Options {
    Options {
        node: NodeId(id),
        cluster: 0,
        listen: "127.0.0.1:0".parse().unwrap(),
        advertise: None,
        seeds: seeds.iter().map(|seed| seed.address()).collect(),
        secret: SECRET.to_vec(),
    }
}

impl Node {
    fn start(options: Options) -> Node {
        Node::try_start(options).unwrap()
    }

    fn try_start(options: Options) -> crate::types::Result<Node> {
        let (id, metrics) = (options.node, Arc::new(Metrics::new()));
        let net = Net::start(options, Arc::clone(&metrics))?;
        Ok(Node { id, net, metrics })
    }

    /// Starts again where another has just stopped: its socket is closed by a task of its own.
    async fn start_at(address: std::net::SocketAddr, id: u64) -> Node {
        let start = async {
            loop {
                match Node::try_start(Options { listen: address, ..options(id, &[]) }) {
                    Ok(node) => return node,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        soon(start).await
    }

    fn address(&self) -> String {
        self.net.listening_at().to_string()
    }

    /// Makes both nodes members of one cluster.
    fn list(&self, other: &Node) {
        let members = [self, other].map(|node| (node.id, node.address()));
        self.net.introduce(Incarnation(1), CLUSTER);
        self.net.list(&BTreeMap::from(members));
    }

    async fn sees(&self, other: NodeId) -> super::Seen {
        let mut seen = self.net.seen();
        let seen = soon(seen.wait_for(|seen| seen.contains_key(&other))).await.unwrap();
        seen[&other].clone()
    }

    async fn misses(&self, other: NodeId) {
        let mut seen = self.net.seen();
        soon(seen.wait_for(|seen| !seen.contains_key(&other))).await.unwrap();
    }

    /// Waits until a lane to `to` takes messages, by sending one that the test tells apart.
    async fn opens(&self, to: NodeId, lane: Lane, message: &(u16, u64)) {
        let sent = async {
            while !self.net.send(to, lane, message.0, message) {
                tokio::task::yield_now().await;
            }
        };
        soon(sent).await;
    }

    fn connection(&self, to: NodeId, lane: Lane) -> quinn::Connection {
        self.net.0.links.find(to).and_then(|link| link.connection(lane)).expect("it is connected")
    }

    /// Where its control connection to a node leads.
    fn reaches(&self, to: NodeId) -> Option<std::net::SocketAddr> {
        let link = self.net.0.links.find(to)?;
        link.connection(Lane::Control).map(|connection| connection.remote_address())
    }

    fn refused(&self, reason: &str) -> u64 {
        self.metrics.refused_peers(reason).value()
    }

    /// Returns once so many were refused for this reason. Whoever is refused may know of it before it is counted here.
    async fn refuses(&self, reason: &str, count: u64) {
        let counted = async {
            while self.refused(reason) != count {
                tokio::task::yield_now().await;
            }
        };
        soon(counted).await;
    }
}

/// Two members that can talk on all lanes as soon as these are open.
async fn pair() -> (Node, Node) {
    let (one, two) = (Node::start(options(1, &[])), Node::start(options(2, &[])));
    one.list(&two);
    two.list(&one);
    one.sees(two.id).await;
    two.sees(one.id).await;
    (one, two)
}

/// Fails where something hangs.
async fn soon<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANGS, event).await.expect("something hangs")
}
