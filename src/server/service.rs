//! What every way in (gRPC, HTTP) does with single rows.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    Limits, answer,
    operation::{self, Wanted, check_key, wanted},
    patience::{self, Patience},
    relay::{self, Fault},
    route::Route,
    stopping::Stopping,
};
use crate::{
    node::{Grid, Primaries},
    partition::{MapView, Outcome},
    store::Record,
    types::{Class, Error, Key, NodeId, PartitionId, Result},
    wire::v1::{self, op::Verb, reply},
};

/// A node and what its clients may take up.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) grid: Grid,
    pub(super) limits: Limits,
    pub(super) stopping: Stopping,
}

/// One operation of a client without an SDK, on its way to the primary.
struct Single<'a> {
    grid: &'a Grid,
    map: &'a MapView,
    partition: PartitionId,
    key: &'a Key,
    verb: Verb,
    wanted: Wanted,
    deadline_us: Option<u64>,
}

/// What became of an operation.
enum Done {
    Read(Option<Record>),
    Written(Outcome),
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
    pub(super) async fn get(&self, map: &MapView, key: &Key) -> Result<Record> {
        let verb = Verb::Get(v1::GetOp { only_version: false });
        let Done::Read(found) = self.carry_out(map, key, verb, 0).await? else { return Err(no_answer()) };
        found.ok_or_else(|| {
            Error::not_found(format!("the map `{}` has no row with the key {key}", map.map.name))
        })
    }

    /// Stores one row; the outcome has the row before.
    pub(super) async fn put(
        &self,
        map: &MapView,
        key: &Key,
        put: v1::PutOp,
        deadline_ms: u32,
    ) -> Result<Outcome> {
        self.write(map, key, Verb::Put(v1::PutOp { want_old: true, ..put }), deadline_ms).await
    }

    /// Removes one row; the outcome has it.
    pub(super) async fn remove(
        &self,
        map: &MapView,
        key: &Key,
        expected_version: Option<u64>,
        deadline_ms: u32,
    ) -> Result<Outcome> {
        let verb = Verb::Remove(v1::RemoveOp { expected_version, want_old: true });
        self.write(map, key, verb, deadline_ms).await
    }

    /// Runs an update on one row; the outcome has the new row.
    pub(super) async fn execute(
        &self,
        map: &MapView,
        key: &Key,
        update: String,
        deadline_ms: u32,
    ) -> Result<Outcome> {
        self.write(map, key, Verb::Execute(v1::ExecuteOp { update }), deadline_ms).await
    }

    async fn write(&self, map: &MapView, key: &Key, verb: Verb, deadline_ms: u32) -> Result<Outcome> {
        match self.carry_out(map, key, verb, deadline_ms).await? {
            Done::Written(outcome) => Ok(outcome),
            Done::Read(_) => Err(no_answer()),
        }
    }

    async fn carry_out(&self, map: &MapView, key: &Key, verb: Verb, deadline_ms: u32) -> Result<Done> {
        check_key(map, key)?;
        let single = Single {
            grid: &self.grid,
            map,
            partition: self.grid.partition_of(key),
            key,
            wanted: wanted(map, verb.clone())?,
            verb,
            deadline_us: operation::deadline_us(self.grid.mono_us(), deadline_ms),
        };
        single.carry_out().await
    }
}

impl Single<'_> {
    /// Has the primary carry it out, wherever that is. It is tried again where it has certainly not been: there was no
    /// connection, or whoever was asked is not the primary. So is a read whose answer was lost, or that was refused for now.
    async fn carry_out(&self) -> Result<Done> {
        let mut patience = Patience::until(self.deadline_us, self.grid.mono_us());
        loop {
            let done = match Route::to(self.partition, &self.grid.primaries(), self.grid.me()) {
                Route::Here => self.carry_out_here().await,
                Route::At(node) => self.carry_out_at(node, &patience).await,
                Route::Nowhere => return Err(Primaries::elsewhere(self.partition, None)),
            };
            match done {
                Err(refusal) if self.is_passing(&refusal) => patience.pause(self.grid, refusal).await?,
                done => return done,
            }
        }
    }

    /// Whether it may be tried again. A write that was refused for now may have taken effect.
    fn is_passing(&self, refusal: &Error) -> bool {
        match self.wanted {
            Wanted::Read { .. } => patience::is_passing(refusal),
            Wanted::Write(_) => refusal.class == Class::NotPrimary,
        }
    }

    async fn carry_out_here(&self) -> Result<Done> {
        match &self.wanted {
            Wanted::Read { .. } => self.grid.read(self.partition, self.map.map.id, self.key).map(Done::Read),
            Wanted::Write(op) => {
                let request = operation::single(self.map, self.key.clone(), op.clone(), self.deadline_us);
                self.grid.call(request).await.map(Done::Written)
            }
        }
    }

    /// What may be tried again is answered as not primary.
    async fn carry_out_at(&self, node: NodeId, patience: &Patience) -> Result<Done> {
        let now_us = self.grid.mono_us();
        let left = patience.left(now_us);
        let (within, deadline_ms) = match self.deadline_us {
            Some(_) => (left, u32::try_from(left.as_millis()).unwrap_or(u32::MAX).max(1)),
            None if self.is_read() => (left, 0),
            None => (relay::WITHIN, 0),
        };
        let op = v1::Op {
            tag: 0,
            number: 0,
            map: self.map.map.id.0,
            key: Bytes::copy_from_slice(self.key.packed()),
            deadline_ms,
            verb: Some(self.verb.clone()),
        };
        match relay::pass_on(self.grid, node, &op, within).await {
            Ok(answer) => self.understand(answer),
            Err(Fault::NotSent(error)) => Err(Error { class: Class::NotPrimary, ..error }),
            Err(Fault::Lost(error)) if self.is_read() => Err(Error { class: Class::NotPrimary, ..error }),
            Err(Fault::Lost(error)) => Err(self.lost(error)),
        }
    }

    fn is_read(&self) -> bool {
        matches!(self.wanted, Wanted::Read { .. })
    }

    fn understand(&self, answer: reply::Answer) -> Result<Done> {
        match (answer, &self.wanted) {
            (reply::Answer::Error(error), _) => Err(error.into()),
            (reply::Answer::Absent(_), Wanted::Read { .. }) => Ok(Done::Read(None)),
            (reply::Answer::Stored(stored), Wanted::Read { .. }) => {
                answer::record(self.map, self.key, &stored).map(|record| Done::Read(Some(record)))
            }
            (reply::Answer::Written(written), Wanted::Write(_)) => {
                answer::outcome(self.map, self.key, written).map(Done::Written)
            }
            _ => Err(no_answer()),
        }
    }

    /// Nobody knows whether the write took effect.
    fn lost(&self, error: Error) -> Error {
        let is_over = self.deadline_us.is_some_and(|deadline_us| deadline_us <= self.grid.mono_us());
        let class = if is_over { Class::Deadline } else { Class::Unavailable };
        Error::new(class, error.message).hint("whether it took effect is not known: read the row")
    }
}

fn no_answer() -> Error {
    Error::internal("the answer is not to what was asked")
}
