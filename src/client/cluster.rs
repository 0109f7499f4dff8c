//! The way into a cluster.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::{
    Map, Options,
    connection::{Connection, Drafts},
    road::Road,
};
use crate::{session::Operation, types::Result};

/// A client of a cluster. Cheap to clone; all clones share its connections.
///
/// It speaks with every node of the cluster: the addresses it is given are where it begins.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// For everything but the operations of sessions.
    road: Road,
    /// At least one.
    connections: Vec<Connection>,
    options: Arc<Options>,
}

impl Client {
    /// Connects to the cluster of the node at `address`, as `host:port`; several are separated by commas.
    pub async fn connect(address: impl AsRef<str>) -> Result<Self> {
        Client::with_options(Options::new(address.as_ref().split(',').map(str::trim))).await
    }

    /// Connects with other than the default options.
    pub async fn with_options(options: Options) -> Result<Self> {
        let options = Arc::new(options);
        let road = Road::begin(&options).await?;
        let mut connections = Vec::with_capacity(options.connections.max(1));
        for _ in 0..options.connections.max(1) {
            connections.push(Connection::open(options.clone()).await?);
        }
        Ok(Client { inner: Arc::new(Inner { road, connections, options }) })
    }

    /// Opens a map.
    pub async fn map(&self, name: &str) -> Result<Map> {
        let description = self.describe(name).await?;
        Ok(Map::new(self.clone(), description))
    }

    pub(super) fn options(&self) -> &Arc<Options> {
        &self.inner.options
    }

    pub(super) fn road(&self) -> &Road {
        &self.inner.road
    }

    /// Where nodes may be found: first those that are there, then those that the user named. What nodes say of others
    /// counts only once it has proved good.
    pub(super) fn known_addresses(&self) -> Vec<String> {
        let mut addresses = self.inner.connections.first().map(Connection::addresses).unwrap_or_default();
        for address in &self.inner.options.addresses {
            if !addresses.contains(address) {
                addresses.push(address.clone());
            }
        }
        addresses
    }

    /// The connection for a call. Calls with the same first key have the same one, so that they stay in order.
    pub(super) fn connection(&self, drafts: &Drafts) -> &Connection {
        let connections = &self.inner.connections;
        let at = match (drafts.first(), connections.len()) {
            (Some(first), many) if many > 1 => (xxh3_64(first.key()) % many as u64) as usize,
            _ => 0,
        };
        &connections[at]
    }
}
