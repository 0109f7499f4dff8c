//! Operations as they come in: checked against the map before anything else touches them.

use std::sync::Arc;

use crate::{
    expr::Update,
    node::Grid,
    partition::{MapView, Op, Origin, PutMode, Request, Ttl, View},
    row::{self, MAX_ROW_BYTES, RowRef, Writer},
    types::{Error, Key, KeyKind, MapId, RequestId, Result, RowVersion, SessionId},
    wire::{
        OpRef,
        v1::{self, op::Verb},
    },
};

/// A checked operation.
#[derive(Debug)]
pub(super) struct Operation<'a> {
    pub(super) map: &'a Arc<MapView>,
    pub(super) action: Action,
}

/// What is asked for.
#[derive(Debug)]
pub(super) enum Action {
    Read { key: Key, only_version: bool },
    Write(Request),
}

/// What all operations of a frame have in common.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) grid: &'a Grid,
    pub(super) view: &'a View,
    pub(super) session: SessionId,
    pub(super) acknowledged_below: u64,
    pub(super) now_us: u64,
}

impl<'a> Frame<'a> {
    /// Checks an operation of a session; `slot` comes back with its answer.
    pub(super) fn operation(&self, wire: OpRef<'_>, key: Key, slot: u64) -> Result<Operation<'a>> {
        let map = self.view.maps.get(&MapId(wire.map)).ok_or_else(|| no_map(self.grid, MapId(wire.map)))?;
        check_key(map, &key)?;
        let verb = wire.verb.ok_or_else(|| {
            Error::invalid("the operation says not what to do").hint("is the client newer than the node?")
        })?;
        let op = match wanted(map, verb)? {
            Wanted::Read { only_version } => {
                return Ok(Operation { map, action: Action::Read { key, only_version } });
            }
            Wanted::Write(op) => op,
        };
        let request = Request {
            origin: Origin { connection: 0, tag: slot },
            id: (wire.number > 0).then_some(RequestId { session: self.session, number: wire.number }),
            acknowledged_below: self.acknowledged_below,
            map: map.map.id,
            key,
            op,
            deadline_us: deadline_us(self.now_us, wire.deadline_ms),
        };
        Ok(Operation { map, action: Action::Write(request) })
    }
}

/// What a verb comes to in a map.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    Read { only_version: bool },
    Write(Op),
}

/// Checks what a verb brings against the map.
pub(super) fn wanted(map: &MapView, verb: Verb) -> Result<Wanted> {
    let op = match verb {
        Verb::Get(get) => return Ok(Wanted::Read { only_version: get.only_version }),
        Verb::Put(put) => {
            check_value(map, &put.value)?;
            let mode = put_mode(put.mode(), put.expected_version);
            Op::Put { value: put.value, mode, want_old: put.want_old, ttl: ttl(put.ttl_ms) }
        }
        Verb::Remove(op) => {
            Op::Remove { expected: op.expected_version.map(RowVersion), want_old: op.want_old }
        }
        Verb::SetTtl(op) => Op::SetTtl { ttl: ttl(op.ttl_ms) },
        Verb::Execute(op) => update(map, &op.update)?,
    };
    Ok(Wanted::Write(op))
}

/// Why there is no map of this id. Ids are given in turn: a higher one than any that this node knows of may be of a map
/// that was created a moment ago through another node.
pub(super) fn no_map(grid: &Grid, id: MapId) -> Error {
    let catalogue = grid.catalogue();
    if catalogue.has_named(id) && catalogue.map_by_id(id).is_none() {
        return Error::not_found(format!("there is no map with the id {id}"))
            .hint("it was dropped: open the map by its name again");
    }
    Error::unavailable(format!("there is no map with the id {id} here yet"))
        .hint("retry in a moment, or open the map by its name again")
}

/// A write outside any session: a retry of it is another request.
pub(super) fn single(map: &MapView, key: Key, op: Op, deadline_us: Option<u64>) -> Request {
    let origin = Origin::default();
    Request { origin, id: None, acknowledged_below: 0, map: map.map.id, key, op, deadline_us }
}

pub(super) fn deadline_us(now_us: u64, deadline_ms: u32) -> Option<u64> {
    (deadline_ms > 0).then(|| now_us + u64::from(deadline_ms) * 1_000)
}

/// Refuses a key of another kind than the map's.
pub(super) fn check_key(map: &MapView, key: &Key) -> Result<()> {
    let kind = key.payload().kind();
    match map.map.key_kind {
        Some(wanted) if wanted != kind => {
            let name = |kind| match kind {
                KeyKind::I64 => "i64",
                KeyKind::Str => "str",
                KeyKind::Bytes => "bytes",
            };
            Err(Error::invalid(format!("the key {key} is of type {}", name(kind))).hint(format!(
                "the keys of the map `{}` are of type {}",
                map.map.name,
                name(wanted)
            )))
        }
        _ => Ok(()),
    }
}

fn check_value(map: &MapView, value: &[u8]) -> Result<()> {
    match map.map.schema() {
        Some(schema) => row::check(schema, RowRef::new(schema, value)?, Writer::Client),
        None if value.len() > MAX_ROW_BYTES => Err(Error::invalid(format!(
            "the value has {} bytes, more than the limit of {MAX_ROW_BYTES}",
            value.len()
        ))),
        None => Ok(()),
    }
}

/// An update that fits the map's schema.
fn update(map: &MapView, text: &str) -> Result<Op> {
    let schema = map.map.schema().ok_or_else(|| {
        Error::invalid(format!("the map `{}` is plain: its values have no columns to update", map.map.name))
    })?;
    Ok(Op::Update(Arc::new(Update::parse(text, schema, map.map.key_kind)?)))
}

fn put_mode(mode: v1::PutMode, expected_version: u64) -> PutMode {
    match mode {
        v1::PutMode::Always => PutMode::Always,
        v1::PutMode::IfAbsent => PutMode::IfAbsent,
        v1::PutMode::IfPresent => PutMode::IfPresent,
        v1::PutMode::IfVersion => PutMode::IfVersion(RowVersion(expected_version)),
    }
}

/// Zero means for ever.
fn ttl(ms: u64) -> Option<Ttl> {
    (ms > 0).then_some(Ttl { ms })
}
