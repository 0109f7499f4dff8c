//! Bringing a node up, and down again.

use std::{
    sync::{Arc, OnceLock},
    thread::available_parallelism,
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::{
    runtime::Handle,
    sync::{Notify, mpsc, watch},
    task::JoinSet,
};

use super::{
    clock::Clock,
    combiner::Combiner,
    connection::Connections,
    cutover,
    deploy::Deploys,
    grid::{Grid, Inner},
    job, models,
    options::Options,
    peer,
    pool::Pool,
    primaries::Primaries,
    proposals,
    sessions::{self, Sessions},
    shared::{Shared, WorkerStatus},
    subscription::{self, Subscribers},
    supervision::Supervision,
    upkeep,
    worker::Worker,
};
use crate::{
    control::{Control, Opened},
    feed::TokenKey,
    net::{self, Net},
    partition::{Limits, View},
    scoring::Models,
    telemetry::Metrics,
    types::{Error, Result},
};

/// How long a node may take to serve what it holds, once it is a member: others may have to agree to it.
const SERVE_WITHIN: Duration = Duration::from_secs(10);
/// How often it is looked whether it does.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A running node.
pub struct Node {
    grid: Grid,
    tasks: JoinSet<()>,
}

impl Node {
    /// Starts a node; returns once it is a member of a cluster and serves what it holds.
    pub async fn start(options: Options) -> Result<Node> {
        let metrics = Arc::new(Metrics::new());
        let opened = Control::open(options.data_dir.clone()).await?;
        let net = start_net(&options, &opened, &metrics).await?;
        let started = Node::join(options, opened, net.clone(), metrics).await;
        if let (Err(_), Some(net)) = (&started, net) {
            net.shutdown().await;
        }
        started
    }

    async fn join(options: Options, opened: Opened, net: Option<Net>, metrics: Arc<Metrics>) -> Result<Node> {
        let control = Arc::new(Control::start(opened, options.control(net.as_ref()), net.clone()).await?);
        let started = start_workers(options, control.clone(), net, metrics).await;
        if started.is_err() {
            control.shutdown().await;
        }
        started
    }

    /// The handle for servers.
    pub fn grid(&self) -> Grid {
        self.grid.clone()
    }

    /// Returns when the node can go on no more, with the reason; it is to be shut down then.
    pub async fn failed(&self) -> Error {
        self.grid.inner.control.failed().await
    }

    /// Ends the node's tasks and threads. Rows were in memory and go with it.
    pub async fn shutdown(mut self) {
        self.tasks.shutdown().await;
        let shared = &self.grid.inner.shared;
        shared.pool.stop();
        self.grid.inner.control.shutdown().await;
        if let Some(net) = &shared.net {
            net.shutdown().await;
        }
    }
}

/// Listens for peers, if there is a secret by which to know them.
async fn start_net(options: &Options, opened: &Opened, metrics: &Arc<Metrics>) -> Result<Option<Net>> {
    if options.secret.is_empty() {
        return Ok(None);
    }
    let listen = &options.peer_listen;
    let found = tokio::net::lookup_host(listen).await.map(|mut found| found.next());
    let listen = found.ok().flatten().ok_or_else(|| {
        Error::invalid(format!("cannot listen for peers at {listen}")).hint("addresses are written host:port")
    })?;
    let net = Net::start(
        net::Options {
            node: opened.node(),
            cluster: opened.cluster(),
            listen,
            advertise: options.peer_advertise.clone(),
            seeds: options.seeds.clone(),
            secret: options.secret.clone(),
        },
        metrics.clone(),
    )?;
    Ok(Some(net))
}

async fn start_workers(
    options: Options,
    control: Arc<Control>,
    net: Option<Net>,
    metrics: Arc<Metrics>,
) -> Result<Node> {
    let catalogue = control.watch();
    let first = catalogue.borrow().clone();
    let started = control.started();
    let models = Models::default();
    models::load_missing(&models, &control, &options.engine, &first).await?;
    let partitions = first.partition_count;
    let workers = options.workers.unwrap_or_else(processors).clamp(1, usize::from(partitions).max(1));
    let (proposals, asked) = mpsc::unbounded_channel();
    let shared = Arc::new(Shared {
        me: started.node,
        cluster: first.cluster,
        net,
        limits: Limits { min_in_sync: first.min_in_sync.into(), ..options.partition },
        timing: options.timing(),
        clock: Clock::start(),
        runtime: Handle::current(),
        connections: Connections::default(),
        subscribers: Subscribers::new(started.incarnation),
        models,
        metrics,
        pool: Pool::start(options.score_threads.unwrap_or_else(|| processors().saturating_sub(1)))
            .map_err(|error| Error::internal(format!("the score pool did not start: {error}")))?,
        inline_us: options.inline_us,
        token_key: TokenKey::derive(first.cluster, &options.secret),
        status: (0..workers).map(|_| WorkerStatus::default()).collect(),
        adopted: Notify::new(),
        primaries: ArcSwap::from_pointee(Primaries::default()),
        readers: (0..partitions).map(|_| ArcSwapOption::empty()).collect(),
        proposals,
        workers: OnceLock::new(),
    });
    share_out(&shared, partitions);
    let settings = options.supervision();
    let (view_sender, view) = watch::channel(Arc::new(View::default()));
    let inner = Inner {
        shared: shared.clone(),
        control: control.clone(),
        catalogue,
        view,
        sessions: Sessions::default(),
        options,
        deploys: Deploys::default(),
    };
    let grid = Grid { inner: Arc::new(inner) };
    let mut tasks = JoinSet::new();
    let supervision = Supervision::new(&shared, control.clone(), settings);
    if let Some(net) = &shared.net {
        peer::listen(&shared, net);
        cutover::answer(&grid, net);
        subscription::answer(&grid, net);
        sessions::answer(&grid, net);
    }
    tasks.spawn(supervision.run());
    tasks.spawn(proposals::run(Arc::downgrade(&shared), control, asked));
    tasks.spawn(cutover::follow(grid.clone(), view_sender));
    tasks.spawn(upkeep::wake_workers(grid.clone()));
    tasks.spawn(upkeep::bookmark(grid.clone()));
    tasks.spawn(sessions::keep(grid.clone()));
    tasks.spawn(job::run(grid.clone()));
    wait_until_ready(&grid).await;
    Ok(Node { grid, tasks })
}

/// Waits until what this node holds as primary is served.
async fn wait_until_ready(grid: &Grid) {
    let waiting = async {
        while !grid.is_ready() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    if tokio::time::timeout(SERVE_WITHIN, waiting).await.is_err() {
        tracing::warn!(
            "this node does not serve all that it holds yet: `embergrid cluster status` tells more"
        );
    }
}

pub(super) fn processors() -> usize {
    available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Starts the workers, which share the partitions.
fn share_out(shared: &Arc<Shared>, partitions: u16) {
    let workers = shared.status.len();
    let worker = |number| Combiner::new(Worker::new(number, workers, partitions, Arc::downgrade(shared)));
    // Set once: this is the only place.
    let _ = shared.workers.set((0..workers).map(worker).collect());
}
