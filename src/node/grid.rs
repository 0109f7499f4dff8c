//! The handle through which servers use a node.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use smallvec::SmallVec;
use tokio::sync::watch;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    connection::{Outbox, Reply},
    cutover,
    deploy::{self, Deployed, Package},
    models,
    options::Options,
    primaries::Primaries,
    sessions::Sessions,
    shared::Shared,
    subscription::{Subscription, Target},
    worker::Message,
};
use crate::{
    catalog::{Binding, BindingFile, Catalogue, Command, Map, Response},
    control::Control,
    feed::{Filter, Start, Token},
    net::Net,
    partition::{Outcome, Request, View},
    store::{Cursor, GLANCES, NotServing, Record, warm},
    telemetry::Metrics,
    topology::partition_of,
    types::{CatalogueVersion, Error, Key, MapId, NodeId, PartitionId, PlacementVersion, Result},
};

/// A node as its servers see it. A clone is another handle.
#[derive(Clone)]
pub struct Grid {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) shared: Arc<Shared>,
    pub(super) control: Arc<Control>,
    pub(super) catalogue: watch::Receiver<Arc<Catalogue>>,
    /// The view that all partitions have cut over to.
    pub(super) view: watch::Receiver<Arc<View>>,
    pub(super) sessions: Sessions,
    pub(super) options: Options,
    /// One deploy at a time: a model load makes its neighbours slow.
    pub(super) deploying: tokio::sync::Mutex<()>,
}

/// What applying a binding did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The binding as it stands.
    pub binding: Arc<Binding>,
    /// Rows stored before that have no score of it.
    pub unscored: u64,
}

impl Grid {
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

    /// Reads one committed row.
    pub fn read(&self, map: MapId, key: &Key) -> Result<Option<Record>> {
        let shared = &self.inner.shared;
        let now_us = || shared.clock.mono_us();
        shared.read(self.partition_of(key), |reader| reader.read(map, key.packed(), now_us))
    }

    /// Brings rows near that are about to be read.
    pub fn warm<'a>(&self, rows: impl Iterator<Item = (MapId, &'a Key)>) {
        let readers = &self.inner.shared.readers;
        let row = |(map, key): (MapId, &'a Key)| {
            (readers[usize::from(self.partition_of(key).0)].load(), map, key.packed())
        };
        let rows: SmallVec<[_; GLANCES]> = rows.map(row).collect();
        let here = rows.iter().filter_map(|(reader, map, key)| Some((reader.as_deref()?, *map, *key)));
        warm(&here.collect::<SmallVec<[_; GLANCES]>>());
    }

    /// Committed rows of one shard of one partition. Begin with the default place; none comes after the last.
    pub fn scan(&self, map: MapId, place: Place) -> Result<(Vec<Record>, Option<Place>)> {
        let shared = &self.inner.shared;
        let (records, next) = shared.read(place.partition, |reader| {
            let scanned = reader.scan(map, place.cursor)?;
            reader.check(shared.clock.mono_us())?;
            Ok::<_, NotServing>(scanned)
        })?;
        let next = match next {
            Some(cursor) => Some(Place { cursor, ..place }),
            None => {
                let partition = PartitionId(place.partition.0 + 1);
                (partition.0 < self.partition_count()).then(|| Place { partition, cursor: Cursor::default() })
            }
        };
        Ok((records, next))
    }

    /// How many rows a map has.
    pub fn size(&self, map: MapId) -> Result<u64> {
        let shared = &self.inner.shared;
        let rows = |partition| {
            shared.read(PartitionId(partition), |reader| {
                let rows = reader.len(map)?;
                reader.check(shared.clock.mono_us())?;
                Ok::<_, NotServing>(rows as u64)
            })
        };
        (0..self.partition_count()).map(rows).sum()
    }

    /// Changes the cluster's metadata; returns once the partitions have cut over to it: this node's, and those of the
    /// other nodes as far as they are in reach.
    pub async fn propose(&self, command: Command) -> Result<Response> {
        let response = self.inner.control.propose(command).await?;
        let version = self.catalogue().version;
        cutover::reached(self.inner.view.clone(), version).await?;
        cutover::others_reached(self, version).await;
        Ok(response)
    }

    /// Loads a model beside what serves, tries it, and only then adds it to the cluster.
    pub async fn deploy(&self, package: Package) -> Result<Deployed> {
        let _one_at_a_time = self.inner.deploying.lock().await;
        let next_version =
            self.catalogue().models().get(&package.name).map_or(1, |model| model.next_version());
        let (engine, clock) = (self.inner.options.engine, self.inner.shared.clock);
        let alias = package.alias.clone();
        let prepared =
            tokio::task::spawn_blocking(move || deploy::prepare(&package, next_version, &engine, clock))
                .await
                .map_err(|error| Error::internal(format!("loading the model failed: {error}")))??;
        let deploy::Prepared { version, loaded, bytes } = prepared;
        let (name, number, digest) = (version.name.clone(), version.version, version.digest);
        self.inner.control.blobs().put(bytes).await?;
        self.inner.shared.models.insert(digest, loaded);
        let proposed = self.propose(Command::AddModel { version, alias: alias.clone() }).await;
        if proposed.is_err() {
            models::drop_unused(&self.inner.shared, &self.catalogue());
        }
        proposed?;
        Ok(Deployed { name, version: number, digest, alias, nodes: 1 })
    }

    /// Adds or replaces a binding.
    pub async fn apply_binding(&self, file: BindingFile) -> Result<Applied> {
        let name = file.name.clone();
        self.propose(Command::ApplyBinding(file)).await?;
        let binding = self.catalogue().binding(&name)?.clone();
        let unscored = self.unscored(&binding)?;
        Ok(Applied { binding, unscored })
    }

    /// Rows of the binding's map that carry no score of it.
    fn unscored(&self, binding: &Binding) -> Result<u64> {
        let mut unscored = 0;
        let mut place = Some(Place::default());
        while let Some(here) = place {
            let (records, next) = self.scan(binding.map, here)?;
            let scored = |record: &Record| record.lineage().any(|lineage| lineage.binding == binding.id);
            unscored += records.iter().filter(|record| !scored(record)).count() as u64;
            place = next;
        }
        Ok(unscored)
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

/// A place in the scan of a whole map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    partition: PartitionId,
    cursor: Cursor,
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
    pub fn submit(&mut self, requests: &mut Vec<Request>) {
        let shared = &self.grid.inner.shared;
        for mut request in requests.drain(..) {
            request.origin.connection = self.number;
            let partition = self.grid.partition_of(&request.key);
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
