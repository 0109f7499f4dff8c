//! A node of its own for each test, in this process, on a port of its own.

use embergrid::{
    client::{Client, Map},
    node::{Node, Options},
    server::{Limits, Server},
    types::Result,
};
use tokio::{sync::oneshot, task::JoinHandle};

/// What most tests put rows into.
pub(crate) const PAYMENTS: &str = r#"
format = 1
map = "payments"
kind = "feature"
key = { name = "id", type = "i64" }
columns = [
  { name = "amount", type = "f64", min = 0.0 },
  { name = "country", type = "str" },
  { name = "attempts", type = "i32", nullable = true },
]
scores = [{ name = "fraud", type = "f32" }]
"#;

/// A running node and its server.
pub(crate) struct Running {
    pub(crate) address: String,
    limits: Limits,
    node: Node,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<()>>,
}

/// Starts an ephemeral node.
pub(crate) async fn start() -> Running {
    start_with(Limits::default()).await
}

/// Starts an ephemeral node whose clients may take up so much.
pub(crate) async fn start_with(limits: Limits) -> Running {
    let options = Options { partition_count: 13, ..Options::default() };
    let node = Node::start(options).await.expect("a node starts");
    let (address, stop, serving) = serve(&node, limits, "127.0.0.1:0").await;
    Running { address, limits, node, stop, serving }
}

async fn serve(
    node: &Node,
    limits: Limits,
    address: &str,
) -> (String, oneshot::Sender<()>, JoinHandle<Result<()>>) {
    let server = Server::bind(address).await.expect("the port is free");
    let address = server.address().expect("a bound socket").to_string();
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(server.serve(node.grid(), limits, async {
        let _ = stopped.await;
    }));
    (address, stop, serving)
}

impl Running {
    pub(crate) async fn client(&self) -> Client {
        Client::connect(&self.address).await.expect("a client connects")
    }

    /// A client's handle of a new feature map.
    pub(crate) async fn payments(&self) -> Map {
        let client = self.client().await;
        client.create_map("payments", Some(PAYMENTS)).await.expect("the map is created");
        client.map("payments").await.expect("the map is there")
    }

    /// A client's handle of a new plain map.
    pub(crate) async fn blobs(&self) -> Map {
        let client = self.client().await;
        client.create_map("blobs", None).await.expect("the map is created");
        client.map("blobs").await.expect("the map is there")
    }

    /// Closes all connections; the node goes on and is served again at the same address.
    pub(crate) async fn interrupt(self) -> Self {
        let Running { address, limits, node, stop, serving } = self;
        end(stop, serving).await;
        let (address, stop, serving) = serve(&node, limits, &address).await;
        Running { address, limits, node, stop, serving }
    }

    /// Stops the server as a signal would, then the node.
    pub(crate) async fn stop(self) {
        end(self.stop, self.serving).await;
        self.node.shutdown().await;
    }
}

async fn end(stop: oneshot::Sender<()>, serving: JoinHandle<Result<()>>) {
    stop.send(()).expect("the server runs");
    serving.await.expect("the server does not panic").expect("the server ends well");
}
