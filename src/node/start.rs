//! Bringing a node up, and down again.

use std::{
    sync::{Arc, OnceLock},
    thread::available_parallelism,
};

use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
    task::JoinSet,
};

use super::{
    clock::Clock,
    combiner::Combiner,
    connection::Connections,
    grid::{Grid, Inner},
    options::Options,
    pool::Pool,
    sessions::Sessions,
    shared::{Shared, WorkerStatus},
    subscription::Subscribers,
    upkeep,
    worker::{Unit, Worker},
};
use crate::{
    catalog::Catalogue,
    control::Control,
    feed::TokenKey,
    model::Model,
    partition::{Core, Setup, Timing, View},
    scoring::{Loaded, Models, format_of},
    store::Reader,
    telemetry::Metrics,
    types::{Error, NodeId, PartitionId, Result},
};

/// What a model loaded at a restart is assumed to cost until it has run, in nanoseconds a row.
const UNKNOWN_ROW_COST_NS: u64 = 10_000;

/// A running node.
pub struct Node {
    grid: Grid,
    tasks: JoinSet<()>,
}

impl Node {
    /// Starts a node; returns once it can serve.
    pub async fn start(options: Options) -> Result<Node> {
        let control = Control::start(options.control()).await?;
        let catalogue = control.watch();
        let first = catalogue.borrow().clone();
        let models = Models::default();
        load_models(&models, &control, &options, &first).await?;
        let (cores, readers) = cores(&options, &first, control.started().node)?;
        let workers = options.workers.unwrap_or_else(processors).clamp(1, cores.len().max(1));
        let shared = Arc::new(Shared {
            cluster: first.cluster,
            clock: Clock::start(),
            runtime: Handle::current(),
            connections: Connections::default(),
            subscribers: Subscribers::default(),
            models,
            metrics: Arc::new(Metrics::new()),
            pool: Pool::start(options.score_threads.unwrap_or_else(|| processors().saturating_sub(1)))
                .map_err(|error| Error::internal(format!("the score pool did not start: {error}")))?,
            inline_us: options.inline_us,
            token_key: TokenKey::derive(first.cluster, &options.secret),
            status: (0..workers).map(|_| WorkerStatus::default()).collect(),
            adopted: Notify::new(),
            readers,
            workers: OnceLock::new(),
        });
        share_out(&shared, cores);
        let (view_sender, view) = watch::channel(Arc::new(View::default()));
        let inner = Inner {
            shared,
            control,
            catalogue,
            view,
            sessions: Sessions::default(),
            options,
            proposing: tokio::sync::Mutex::default(),
            deploying: tokio::sync::Mutex::default(),
        };
        let grid = Grid { inner: Arc::new(inner) };
        let mut tasks = JoinSet::new();
        upkeep::start(&grid, view_sender, &mut tasks).await?;
        Ok(Node { grid, tasks })
    }

    /// The handle for servers.
    pub fn grid(&self) -> Grid {
        self.grid.clone()
    }

    /// Ends the node's tasks and threads. Rows were in memory and go with it.
    pub async fn shutdown(mut self) {
        self.tasks.shutdown().await;
        self.grid.inner.shared.pool.stop();
        self.grid.inner.control.shutdown().await;
    }
}

fn processors() -> usize {
    available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Loads every model of the catalogue from the node's blobs.
async fn load_models(
    models: &Models,
    control: &Control,
    options: &Options,
    catalogue: &Catalogue,
) -> Result<()> {
    for version in catalogue.models().values().flat_map(|model| model.versions().values()) {
        let place = || format!("model {}@{}", version.name, version.version);
        let bytes = control.blobs().read(version.digest).await.map_err(|error| error.within(place()))?;
        let bytes = bytes
            .ok_or_else(|| Error::unavailable("its bytes are not in the data folder").within(place()))?;
        let engine = options.engine;
        let format = format_of(version.kind).map_err(|error| error.within(place()))?;
        let model = tokio::task::spawn_blocking(move || Model::load(&bytes, format, &engine))
            .await
            .map_err(|error| Error::internal(format!("loading failed: {error}")).within(place()))?
            .map_err(|error| Error::from(error).within(place()))?;
        models.insert(version.digest, Loaded::new(model, UNKNOWN_ROW_COST_NS));
    }
    Ok(())
}

/// A core for each partition, with a reader of its rows.
fn cores(options: &Options, catalogue: &Catalogue, me: NodeId) -> Result<(Vec<Core>, Vec<Reader>)> {
    let core = |(partition, configuration): (PartitionId, &crate::catalog::Configuration)| {
        let replica = configuration
            .replica_at(me)
            .ok_or_else(|| Error::internal(format!("partition {partition} is not held by this node")))?;
        let core = Core::new(Setup {
            partition,
            configuration: Arc::new(configuration.clone()),
            me: replica.join,
            limits: options.partition,
            timing: Timing::default(),
            seed: catalogue.cluster ^ u64::from(partition.0),
        });
        let reader = core.reader();
        Ok((core, reader))
    };
    let partitions = (0..).map(PartitionId).zip(catalogue.configurations());
    Ok(partitions.map(core).collect::<Result<Vec<_>>>()?.into_iter().unzip())
}

/// Gives every worker its partitions.
fn share_out(shared: &Arc<Shared>, cores: Vec<Core>) {
    let workers = shared.status.len();
    let mut units: Vec<Vec<Unit>> = (0..workers).map(|_| Vec::new()).collect();
    for (partition, core) in (0..).map(PartitionId).zip(cores) {
        units[shared.worker_of(partition)].push(Unit::new(partition, core));
    }
    let worker = |(number, units)| Combiner::new(Worker::new(number, workers, Arc::downgrade(shared), units));
    let workers = units.into_iter().enumerate().map(worker).collect();
    // Set once: this is the only place.
    let _ = shared.workers.set(workers);
}
