//! What every way in (gRPC, HTTP) does with single rows.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    Limits,
    operation::{self, check_key},
    stopping::Stopping,
};
use crate::{
    node::Grid,
    partition::{MapView, Op, Outcome, PutMode},
    store::Record,
    types::{Error, Key, Result, RowVersion},
};

/// A node and what its clients may take up.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) grid: Grid,
    pub(super) limits: Limits,
    pub(super) stopping: Stopping,
}

/// A put of one row.
pub(super) struct SinglePut {
    pub(super) key: Key,
    pub(super) value: Bytes,
    pub(super) mode: PutMode,
    pub(super) ttl_ms: u64,
    pub(super) deadline_ms: u32,
}

impl Service {
    /// The map of this name, as the partitions have it.
    pub(super) fn map(&self, name: &str) -> Result<Arc<MapView>> {
        let id = self.grid.catalogue().map(name)?.id;
        self.grid.view().maps.get(&id).cloned().ok_or_else(|| {
            Error::unavailable(format!("the map `{name}` is being created")).hint("retry in a moment")
        })
    }

    /// Reads one row; none is an error.
    pub(super) fn get(&self, map: &MapView, key: &Key) -> Result<Record> {
        check_key(map, key)?;
        self.grid.read(map.map.id, key)?.ok_or_else(|| {
            Error::not_found(format!("the map `{}` has no row with the key {key}", map.map.name))
        })
    }

    /// Stores one row; the outcome has the row before.
    pub(super) async fn put(&self, map: &MapView, put: SinglePut) -> Result<Outcome> {
        check_key(map, &put.key)?;
        let op = operation::put(map, put.value, put.mode, true, put.ttl_ms)?;
        self.write(map, put.key, op, put.deadline_ms).await
    }

    /// Removes one row; the outcome has it.
    pub(super) async fn remove(
        &self,
        map: &MapView,
        key: Key,
        expected: Option<RowVersion>,
        deadline_ms: u32,
    ) -> Result<Outcome> {
        check_key(map, &key)?;
        self.write(map, key, Op::Remove { expected, want_old: true }, deadline_ms).await
    }

    /// Runs an update on one row; the outcome has the new row.
    pub(super) async fn execute(
        &self,
        map: &MapView,
        key: Key,
        update: &str,
        deadline_ms: u32,
    ) -> Result<Outcome> {
        check_key(map, &key)?;
        let op = operation::update(map, update)?;
        self.write(map, key, op, deadline_ms).await
    }

    async fn write(&self, map: &MapView, key: Key, op: Op, deadline_ms: u32) -> Result<Outcome> {
        let deadline_us = operation::deadline_us(self.grid.mono_us(), deadline_ms);
        self.grid.call(operation::single(map, key, op, deadline_us)).await
    }
}
