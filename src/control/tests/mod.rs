//! The control group: on one node, and on several over loopback with real sockets.
//!
//! What is waited for is an event; the time limits are far beyond what anything takes, and reached where something hangs.

mod birth;
mod blobs;
mod faults;
mod life;
mod single;
mod storage;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    path::Path,
    sync::Arc,
    time::Duration,
};

use super::{Admission, Control, DEAD_AFTER, Leadership, Options, Started};
use crate::{
    catalog::{
        Catalogue, Command, InputSignature, MapFile, ModelKind, ModelVersion, NullPolicy, NumberKind,
        OutputKind, OutputSignature, Response,
    },
    net::{self, Net},
    telemetry::Metrics,
    types::{Digest, NodeId, Result},
};

const SECRET: &[u8] = b"a secret of the tests";

/// Far more than anything takes: reached, something hangs.
const HANGS: Duration = Duration::from_secs(60);

/// Fails where something hangs.
async fn soon<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANGS, event).await.expect("something hangs")
}

/// What a node alone is told.
fn options() -> Options {
    Options {
        partition_count: 4,
        backup_count: 1,
        min_in_sync: 1,
        expect: None,
        has_seeds: false,
        name: None,
        address: "127.0.0.1:7700".into(),
        peer_address: "127.0.0.1:7701".into(),
        dead_after: DEAD_AFTER,
        admission: Admission::default(),
    }
}

/// A node that listens for its peers and has no place in a cluster yet.
struct Listening {
    opened: super::Opened,
    net: Net,
}

/// A node of a cluster.
struct Node {
    control: Arc<Control>,
    net: Net,
    follows: tokio::task::JoinHandle<()>,
}

struct Place<'a> {
    data_dir: Option<&'a Path>,
    listen: &'a str,
    seeds: Vec<String>,
    secret: &'a [u8],
}

impl Default for Place<'_> {
    fn default() -> Self {
        Place { data_dir: None, listen: "127.0.0.1:0", seeds: Vec::new(), secret: SECRET }
    }
}

impl Listening {
    async fn at(place: Place<'_>) -> Listening {
        let opened = Control::open(place.data_dir.map(Path::to_owned)).await.unwrap();
        let listen = || {
            let options = net::Options {
                node: opened.node(),
                cluster: opened.cluster(),
                listen: place.listen.parse().unwrap(),
                advertise: None,
                seeds: place.seeds.clone(),
                secret: place.secret.to_vec(),
            };
            Net::start(options, Arc::new(Metrics::new()))
        };
        // A socket that was used before is closed by a task of its own.
        let listening = async {
            loop {
                match listen() {
                    Ok(net) => return net,
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        };
        let net = soon(listening).await;
        Listening { opened, net }
    }

    async fn with_seeds(seeds: &[String]) -> Listening {
        Listening::at(Place { seeds: seeds.to_vec(), ..Place::default() }).await
    }

    fn address(&self) -> String {
        self.net.listening_at().to_string()
    }

    /// Finds its place in a cluster; ends when it has.
    async fn enter(self, expect: Option<u32>) -> Node {
        self.enter_with(|options| options.expect = expect).await
    }

    async fn enter_with(self, tell: impl FnOnce(&mut Options)) -> Node {
        let Listening { opened, net } = self;
        let mut options =
            Options { has_seeds: true, peer_address: net.listening_at().to_string(), ..options() };
        tell(&mut options);
        let control = soon(Control::start(opened, options, Some(net.clone()))).await.unwrap();
        let control = Arc::new(control);
        let follows = tokio::spawn(follow(control.watch(), net.clone()));
        Node { control, net, follows }
    }
}

/// Keeps the network's list of members in step with the catalogue, as a node does.
async fn follow(mut catalogue: tokio::sync::watch::Receiver<Arc<Catalogue>>, net: Net) {
    loop {
        let latest = catalogue.borrow_and_update().clone();
        let members = latest.members().map(|member| (member.node.id, member.node.peer_address.clone()));
        net.list(&members.collect::<BTreeMap<_, _>>());
        if catalogue.changed().await.is_err() {
            return;
        }
    }
}

impl Node {
    fn id(&self) -> NodeId {
        self.control.started().node
    }

    fn started(&self) -> Started {
        self.control.started()
    }

    fn cluster(&self) -> u64 {
        self.control.catalogue().cluster
    }

    fn address(&self) -> String {
        self.net.listening_at().to_string()
    }

    async fn create(&self, name: &str) -> Result<Response> {
        self.control.propose(Command::CreateMap(MapFile::plain(name))).await
    }

    fn maps(&self) -> Vec<String> {
        self.control.catalogue().maps().map(|map| map.name.clone()).collect()
    }

    async fn leadership(&self, of: impl Fn(&Leadership) -> bool) -> Leadership {
        let mut leadership = self.control.leadership();
        *soon(leadership.wait_for(|leadership| of(leadership))).await.unwrap()
    }

    /// Those that vote, by the first set where it is being changed.
    async fn voting(&self) -> BTreeSet<NodeId> {
        self.control.group.voters_and_nodes().await.0.swap_remove(0)
    }

    /// Waits until so many nodes vote, as this node knows.
    async fn voters(&self, count: usize) {
        let mut metrics = self.control.group.raft.metrics();
        let voters = metrics.wait_for(|metrics| {
            let configs = metrics.membership_config.membership().get_joint_config();
            configs.len() == 1 && configs.iter().all(|config| config.len() == count)
        });
        soon(voters).await.unwrap();
    }

    async fn stop(self) {
        self.follows.abort();
        self.control.shutdown().await;
        self.net.shutdown().await;
        // The last handle frees the port and the data folder.
        drop(self.follows.await);
    }
}

/// Waits until all nodes know that so many vote: while only some do, the group depends on its founder.
async fn all_vote(nodes: &[Node], count: usize) {
    for node in nodes {
        node.voters(count).await;
    }
}

/// Adds a model of these bytes.
fn model(name: &str, bytes: &[u8], features: Vec<String>) -> Command {
    let input = InputSignature {
        name: "X".into(),
        kind: NumberKind::F32,
        width: features.len(),
        features,
        null: NullPolicy::Reject,
    };
    let output = OutputSignature { name: "Y".into(), kind: OutputKind::F32, elements: vec!["0".into()] };
    let version = ModelVersion {
        name: name.into(),
        version: 1,
        digest: Digest::of(bytes),
        kind: ModelKind::Onnx,
        bytes: bytes.len() as u64,
        inputs: vec![input],
        outputs: vec![output],
    };
    Command::AddModel { version, alias: None }
}

/// Starts nodes that found a cluster together; the first one is the seed of all.
async fn found(count: u32) -> Vec<Node> {
    let first = Listening::with_seeds(&[]).await;
    let seeds = [first.address()];
    let mut listening = vec![first];
    for _ in 1..count {
        listening.push(Listening::with_seeds(&seeds).await);
    }
    let entering: Vec<_> = listening.into_iter().map(|node| tokio::spawn(node.enter(Some(count)))).collect();
    let mut nodes = Vec::new();
    for entering in entering {
        nodes.push(soon(entering).await.unwrap());
    }
    nodes
}
