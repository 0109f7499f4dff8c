//! The handle through which servers use a node.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
    task::{Context, Poll},
};

use smallvec::SmallVec;
use tokio::sync::{oneshot, watch};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    connection::{Outbox, Reply},
    cutover,
    deploy::Deploys,
    options::Options,
    primaries::Primaries,
    sessions::Sessions,
    shared::Shared,
    subscription::{Subscription, Target},
    worker::Message,
};
use crate::{
    catalog::{Catalogue, Command, Map, Response},
    control::Control,
    feed::{Filter, Start, Token},
    net::Net,
    partition::{Account, Outcome, Request, View},
    store::{Cursor, GLANCES, NotServing, Record, warm},
    telemetry::Metrics,
    topology::partition_of,
    types::{CatalogueVersion, Error, JoinId, Key, MapId, NodeId, PartitionId, PlacementVersion, Result},
};

/// A node as its servers see it. A clone is another handle.
#[derive(Clone)]
pub struct Grid {
    pub(super) inner: Arc<Inner>,
}

/// A grid that does not keep its node alive: for whoever is held by the node itself.
#[derive(Clone)]
pub struct WeakGrid(Weak<Inner>);

impl WeakGrid {
    /// The grid, as long as its node lives.
    pub fn upgrade(&self) -> Result<Grid> {
        let inner = self.0.upgrade().ok_or_else(|| Error::unavailable("the node is shutting down"))?;
        Ok(Grid { inner })
    }
}

pub(super) struct Inner {
    pub(super) shared: Arc<Shared>,
    pub(super) control: Arc<Control>,
    pub(super) catalogue: watch::Receiver<Arc<Catalogue>>,
    /// The view that all partitions have cut over to.
    pub(super) view: watch::Receiver<Arc<View>>,
    pub(super) sessions: Sessions,
    pub(super) options: Options,
    pub(super) deploys: Deploys,
}

impl Grid {
    /// A handle that does not keep the node alive.
    pub fn downgrade(&self) -> WeakGrid {
        WeakGrid(Arc::downgrade(&self.inner))
    }

    /// The cluster's metadata.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.inner.catalogue.borrow().clone()
    }

    /// The catalogue as the partitions use it: maps with their compiled bindings.
    pub fn view(&self) -> Arc<View> {
        self.inner.view.borrow().clone()
    }

    /// What this node measures.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.inner.shared.metrics
    }

    /// Microseconds on the node's clock: what deadlines are given in.
    pub fn mono_us(&self) -> u64 {
        self.inner.shared.clock.mono_us()
    }

    /// This node.
    pub fn me(&self) -> NodeId {
        self.inner.shared.me
    }

    /// The network of the nodes; none for a node that is alone.
    pub fn net(&self) -> Option<&Net> {
        self.inner.shared.net.as_ref()
    }

    /// Whether this node serves all that it holds as primary.
    pub fn is_ready(&self) -> bool {
        let shared = &self.inner.shared;
        let primaries = shared.primaries.load();
        let serves =
            |partition| shared.read(partition, |reader| reader.check(shared.clock.mono_us())).is_ok();
        let mut here = (0..self.partition_count())
            .map(PartitionId)
            .filter(|partition| primaries.node(*partition) == Some(shared.me));
        let known = self.catalogue();
        primaries.placement() > PlacementVersion(0)
            && self.view().version >= known.version
            && here.all(serves)
    }

    /// The nodes that vote in the control group, as far as this one knows: with fewer than three nobody can take over.
    pub fn voters(&self) -> BTreeSet<NodeId> {
        self.inner.control.voters()
    }

    /// The node that leads the control group, as far as this one knows.
    pub fn leader(&self) -> Option<NodeId> {
        self.inner.control.leadership().borrow().leader
    }

    /// Where the primaries are: one answer for as long as it is held.
    pub fn primaries(&self) -> Arc<Primaries> {
        self.inner.shared.primaries.load_full()
    }

    /// The node of a partition's primary; none if the partition is lost.
    pub fn primary_of(&self, partition: PartitionId) -> Option<NodeId> {
        self.inner.shared.primaries.load().node(partition)
    }

    /// Whether this node has a partition's primary.
    pub fn is_here(&self, partition: PartitionId) -> bool {
        self.primary_of(partition) == Some(self.me())
    }

    /// The other members, or those of them that are heard.
    pub(super) fn peers(&self, all: bool) -> BTreeSet<NodeId> {
        if self.net().is_none() {
            return BTreeSet::new();
        }
        let catalogue = self.inner.catalogue.borrow();
        let members = catalogue.members().filter(|member| all || member.is_up());
        members.map(|member| member.node.id).filter(|node| *node != self.me()).collect()
    }

    /// The id of the cluster.
    pub fn cluster(&self) -> u64 {
        self.inner.shared.cluster
    }

    /// How many partitions the cluster has.
    pub fn partition_count(&self) -> u16 {
        self.inner.shared.readers.len() as u16
    }

    /// How many workers share the partitions.
    pub fn workers(&self) -> usize {
        self.inner.shared.status.len()
    }

    /// The partition of a key.
    pub fn partition_of(&self, key: &Key) -> PartitionId {
        partition_of(key, self.partition_count())
    }

    /// Opens a connection for operations in batches.
    pub fn connect(&self) -> Connection {
        let (number, outbox) = self.inner.shared.connections.open();
        let workers = self.inner.shared.status.len();
        Connection { grid: self.clone(), number, outbox, sorted: (0..workers).map(|_| Vec::new()).collect() }
    }

    /// Runs one operation; `request.origin` is filled in here.
    pub async fn call(&self, mut request: Request) -> Result<Outcome> {
        let shared = &self.inner.shared;
        let (origin, answer) = shared.connections.call();
        request.origin = origin;
        let partition = self.partition_of(&request.key);
        shared.post(partition, Message::Request(partition, request));
        let _hang_up = HangUp { shared, origin };
        answer.await.unwrap_or_else(|_| Err(Error::unavailable("the node is shutting down")))
    }

    /// Reads one committed row of a partition of which this node is the primary.
    pub fn read(&self, partition: PartitionId, map: MapId, key: &Key) -> Result<Option<Record>> {
        let shared = &self.inner.shared;
        shared.read(partition, |reader| reader.read(map, key.packed(), || shared.clock.mono_us()))
    }

    /// Brings rows near that are about to be read.
    pub fn warm<'a>(&self, rows: impl Iterator<Item = (PartitionId, MapId, &'a Key)>) {
        let readers = &self.inner.shared.readers;
        let row = |(partition, map, key): (PartitionId, MapId, &'a Key)| {
            Some((readers.get(usize::from(partition.0))?.load(), map, key.packed()))
        };
        let rows: SmallVec<[_; GLANCES]> = rows.filter_map(row).collect();
        let here = rows.iter().filter_map(|(reader, map, key)| Some((reader.as_deref()?, *map, *key)));
        warm(&here.collect::<SmallVec<[_; GLANCES]>>());
    }

    /// Committed rows of one shard of a partition of which this node is the primary. Begin with the default cursor; none
    /// comes after the last. Shards of one replica go together, those of another are cut differently.
    pub fn scan(&self, map: MapId, partition: PartitionId, from: Cursor) -> Result<Shard> {
        let shared = &self.inner.shared;
        shared.read(partition, |reader| {
            reader.begun()?;
            let (records, next) = reader.scan(map, from)?;
            reader.check(shared.clock.mono_us())?;
            Ok::<_, NotServing>(Shard { replica: reader.join(), records, next })
        })
    }

    /// How many rows a map has in a partition of which this node is the primary.
    pub fn size_of(&self, map: MapId, partition: PartitionId) -> Result<u64> {
        let shared = &self.inner.shared;
        shared.read(partition, |reader| {
            reader.begun()?;
            let rows = reader.len(map)?;
            reader.check(shared.clock.mono_us())?;
            Ok::<_, NotServing>(rows as u64)
        })
    }

    /// How many rows a map has in the partitions of which this node is the primary.
    pub fn size(&self, map: MapId) -> Result<u64> {
        let primaries = self.primaries();
        let here = self.partitions().filter(|partition| primaries.node(*partition) == Some(self.me()));
        here.map(|partition| self.size_of(map, partition)).sum()
    }

    /// How far the replicas of the partitions are of which this node is the primary.
    pub async fn accounts(&self) -> Vec<Account> {
        let ask = |worker| {
            let (sender, answer) = oneshot::channel();
            self.inner.shared.post_to(worker, Message::Account(sender));
            answer
        };
        let asked: Vec<_> = (0..self.workers()).map(ask).collect();
        let mut accounts = Vec::new();
        for answer in asked {
            accounts.extend(answer.await.unwrap_or_default());
        }
        accounts
    }

    /// The other members that are heard.
    pub fn others(&self) -> BTreeSet<NodeId> {
        self.peers(false)
    }

    /// Every partition of the cluster.
    pub fn partitions(&self) -> impl Iterator<Item = PartitionId> + use<> {
        (0..self.partition_count()).map(PartitionId)
    }

    /// Returns once this node's partitions have cut over to the catalogue version.
    pub async fn adopt(&self, version: CatalogueVersion) -> Result<()> {
        cutover::reached(self.inner.view.clone(), version).await
    }

    /// Changes the cluster's metadata; returns once the partitions have cut over to it: this node's, and those of the
    /// other nodes as far as they are in reach.
    pub async fn propose(&self, command: Command) -> Result<Response> {
        let response = self.inner.control.propose(command).await?;
        let version = self.catalogue().version;
        self.adopt(version).await?;
        cutover::others_reached(self, version).await;
        Ok(response)
    }

    /// Opens a continuous query over the rows of a map that satisfy `condition`.
    pub fn subscribe(
        &self,
        map: &str,
        condition: Option<&str>,
        from: Option<&str>,
        snapshot: bool,
    ) -> Result<Subscription> {
        let map = self.catalogue().map(map)?.clone();
        let filter = Filter::compile(&map, condition)?;
        let filter_hash = xxh3_64(condition.unwrap_or_default().as_bytes());
        let start = match from {
            Some(text) => self.resume(text, &map, filter_hash)?,
            None => {
                let start = if snapshot { Start::Snapshot } else { Start::Now };
                vec![start; usize::from(self.partition_count())]
            }
        };
        let condition = condition.map(str::to_owned);
        let target = Target { filter, condition, filter_hash, start };
        Ok(Subscription::open(&self.inner.shared, target, self.inner.options.subscriber_credits))
    }

    /// Where a token says that every partition goes on.
    fn resume(&self, text: &str, map: &Map, filter: u64) -> Result<Vec<Start>> {
        let token = Token::decode(text, &self.inner.shared.token_key)?;
        let refuse = |what: &str| {
            Err(Error::invalid(format!("the token is of another {what}")).hint("subscribe without a token"))
        };
        if token.map != map.id {
            return refuse("map");
        }
        if token.filter != filter {
            return refuse("condition");
        }
        if token.cluster != self.cluster() || token.positions.len() != usize::from(self.partition_count()) {
            return refuse("cluster");
        }
        Ok(token.positions.into_iter().map(Start::After).collect())
    }

    /// Follows the cluster's metadata and its placement.
    pub fn follow(&self) -> watch::Receiver<Arc<Catalogue>> {
        self.inner.catalogue.clone()
    }

    /// The catalogue version that all partitions of this node have cut over to.
    pub fn adopted(&self) -> CatalogueVersion {
        self.inner.view.borrow().version
    }
}

/// One shard of a map within one partition.
#[derive(Clone, Debug)]
pub struct Shard {
    /// Whose it is.
    pub replica: JoinId,
    /// Its rows.
    pub records: Vec<Record>,
    /// The next one; none after the last.
    pub next: Option<Cursor>,
}

/// Forgets a call whose caller went away before its answer.
struct HangUp<'a> {
    shared: &'a Shared,
    origin: crate::partition::Origin,
}

impl Drop for HangUp<'_> {
    fn drop(&mut self) {
        self.shared.connections.hang_up(self.origin);
    }
}

/// A client's connection: operations go in by the batch, answers come back in any order.
pub struct Connection {
    grid: Grid,
    number: u32,
    outbox: Arc<Outbox>,
    /// By worker; empty between calls.
    sorted: Vec<Vec<Message>>,
}

impl Connection {
    /// Hands operations to the workers of their partitions, leaving the vector empty. `origin.tag` comes back
    /// with the answer; `origin.connection` is filled in here.
    pub fn submit(&mut self, requests: &mut Vec<(PartitionId, Request)>) {
        let shared = &self.grid.inner.shared;
        for (partition, mut request) in requests.drain(..) {
            request.origin.connection = self.number;
            self.sorted[shared.worker_of(partition)].push(Message::Request(partition, request));
        }
        for (number, messages) in self.sorted.iter_mut().enumerate() {
            shared.post_all(number, messages);
        }
    }

    /// What takes this connection's answers.
    pub fn replies(&self) -> Replies {
        Replies { outbox: self.outbox.clone() }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.grid.inner.shared.connections.close(self.number);
    }
}

/// The answers of one connection.
pub struct Replies {
    outbox: Arc<Outbox>,
}

impl Replies {
    /// Adds all answers that are there to `replies`; while there are none, the first to come wakes the task.
    pub fn poll_take(&self, cx: &mut Context<'_>, replies: &mut Vec<Reply>) -> Poll<()> {
        self.outbox.poll_take(cx, replies)
    }
}
