//! Each component's options, composed.

use std::{ffi::OsString, fs, net::SocketAddr, path::Path, time::Duration};

use toml::Table;

use super::{Config, Flags, environment, safety, secret};
use crate::{
    node, server, telemetry,
    types::{Error, Result, read_toml},
};

/// Each component's options, and where to listen.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The settings they come from.
    pub config: Config,
    /// Where clients are listened to.
    pub listen: String,
    /// What the node is told.
    pub node: node::Options,
    /// What one client may take up.
    pub server: server::Limits,
    /// What is logged.
    pub telemetry: telemetry::Options,
}

impl Settings {
    /// Composes the settings of a process: file, environment, command line.
    ///
    /// Refuses an unknown key with the nearest one and its place, values out of range, and what is not safe without a
    /// cluster secret.
    pub fn load(flags: &Flags, environment: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self> {
        let environment = environment.into_iter().collect();
        let mut table = match &flags.config {
            Some(path) => read_file(path)?,
            None => Table::new(),
        };
        environment::lay_over(&environment, &mut table)?;
        flags.lay_over(&mut table);
        let config: Config = read_toml("the settings", &table.to_string())?;
        Settings::compose(config, secret::read(&environment)?)
    }

    fn compose(config: Config, secret: Option<Vec<u8>>) -> Result<Self> {
        safety::check(&config.node, secret.is_some())?;
        check_ranges(&config)?;
        let mut node = node::Options {
            data_dir: config.node.data_dir.clone(),
            name: config.node.name.clone(),
            advertise: config.node.advertise.clone().unwrap_or_else(|| config.node.listen.clone()),
            peer_listen: config.node.peer_listen.clone(),
            peer_advertise: config.node.peer_advertise.clone(),
            partition_count: config.node.partitions,
            backup_count: config.node.backup_count,
            min_in_sync: config.node.min_in_sync,
            failure_timeout: Duration::from_millis(config.node.failure_timeout_ms.into()),
            seeds: config.node.seeds.0.clone(),
            expect: config.node.expect,
            workers: config.node.workers,
            score_threads: config.scoring.threads,
            inline_us: config.scoring.inline_us,
            subscriber_credits: config.server.subscriber_events,
            secret: secret.unwrap_or_default(),
            ..node::Options::default()
        };
        node.engine.backend =
            config.scoring.backend.parse().map_err(|error: Error| error.within("scoring.backend"))?;
        let limits = &mut node.engine.limits;
        limits.bytes = config.server.model_bytes;
        limits.nodes = config.models.operators;
        limits.depth = config.models.depth;
        limits.parameters = config.models.parameters;
        limits.elements = config.models.elements;
        limits.steps = config.models.steps;
        node.partition.ops = config.partition.operations;
        node.partition.op_bytes = config.partition.operation_bytes;
        node.partition.sessions = config.partition.sessions;
        node.partition.log_entries = config.partition.retained_entries;
        node.partition.log_bytes = config.partition.retained_bytes;
        let server = server::Limits {
            frame_bytes: config.server.frame_bytes,
            session_operations: config.server.session_operations,
            session_bytes: config.server.session_bytes,
            model_bytes: config.server.model_bytes,
            calls: config.server.calls,
        };
        Ok(Settings {
            listen: config.node.listen.clone(),
            telemetry: config.telemetry.clone(),
            node,
            server,
            config,
        })
    }

    /// Takes note of the address that is listened at: with port 0 only the system knows it.
    pub fn listening_at(&mut self, address: SocketAddr) {
        if self.config.node.advertise.is_none() {
            self.node.advertise = address.to_string();
        }
    }

    /// The settings as a TOML file. The secret is none of them.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(&self.config).map_err(|error| Error::internal(format!("the settings: {error}")))
    }
}

fn read_file(path: &Path) -> Result<Table> {
    let place = path.display().to_string();
    let text = fs::read_to_string(path)
        .map_err(|error| Error::invalid(format!("the settings file `{place}` cannot be read: {error}")))?;
    // Checked alone first: only here has a key a line.
    read_toml::<Config>(&place, &text)?;
    read_toml(&place, &text)
}

fn check_ranges(config: &Config) -> Result<()> {
    const MOST_PARTITIONS: usize = 4096;
    const MOST_THREADS: usize = 1024;
    const MOST: usize = 1 << 40;
    const MOST_NODES: usize = 256;
    const MOST_BACKUPS: usize = 6;
    let backups = usize::from(config.node.backup_count);
    let ranges = [
        ("node.partitions", usize::from(config.node.partitions), 1, MOST_PARTITIONS),
        ("node.expect", config.node.expect.unwrap_or(1) as usize, 1, MOST_NODES),
        ("node.backup_count", backups, 0, MOST_BACKUPS),
        ("node.min_in_sync", usize::from(config.node.min_in_sync), 1, backups + 1),
        ("node.failure_timeout_ms", config.node.failure_timeout_ms as usize, 200, 600_000),
        ("node.drain_timeout_s", config.node.drain_timeout_s as usize, 0, 86_400),
        ("node.workers", config.node.workers.unwrap_or(1), 1, MOST_THREADS),
        ("scoring.threads", config.scoring.threads.unwrap_or(1), 1, MOST_THREADS),
        ("server.frame_bytes", config.server.frame_bytes, 1 << 16, 1 << 30),
        ("server.session_operations", config.server.session_operations, 1, MOST),
        ("server.session_bytes", config.server.session_bytes, 2 << 20, MOST),
        ("server.model_bytes", config.server.model_bytes, 1, MOST),
        ("server.calls", config.server.calls as usize, 1, MOST),
        ("server.subscriber_events", config.server.subscriber_events as usize, 1, MOST),
        ("models.operators", config.models.operators, 1, MOST),
        ("models.depth", config.models.depth, 1, MOST),
        ("models.parameters", config.models.parameters, 1, MOST),
        ("models.elements", config.models.elements, 1, MOST),
        ("models.steps", config.models.steps, 1, MOST),
        ("partition.operations", config.partition.operations, 1, MOST),
        ("partition.operation_bytes", config.partition.operation_bytes, 2 << 20, MOST),
        ("partition.sessions", config.partition.sessions, 1, MOST),
        ("partition.retained_entries", config.partition.retained_entries, 1, MOST),
        ("partition.retained_bytes", config.partition.retained_bytes, 1, MOST),
    ];
    match ranges.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
        None => Ok(()),
        Some((key, value, least, most)) => Err(Error::invalid(format!("{key} = {value} is out of range"))
            .hint(format!("it lies between {least} and {most}"))),
    }
}
