//! Queries: a scan of all partitions, shard by shard, as fast as the client reads.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    vec,
};

use tokio_stream::Stream;
use tonic::Status;

use super::{answer, rows};
use crate::{
    expr::{Predicate, Scope, Source},
    node::{Grid, Place},
    partition::MapView,
    row::RowRef,
    store::Record,
    types::{Key, Result},
    wire::v1::{self, keyed_row},
};

/// Bytes of rows in one message, about.
const MESSAGE_BYTES: usize = 64 << 10;
/// Rows looked at before other tasks get their turn.
const TURN_ROWS: usize = 4_096;

/// The rows that satisfy a predicate.
pub(super) struct Query {
    grid: Grid,
    map: Arc<MapView>,
    predicate: Option<Predicate>,
    packed: bool,
    /// Rows that may still be given.
    left: u64,
    /// The next shard; `None` after the last.
    place: Option<Place>,
    /// What is left of the last shard.
    records: vec::IntoIter<Record>,
}

impl Query {
    pub(super) fn new(grid: Grid, map: Arc<MapView>, request: &v1::QueryRequest) -> Result<Self> {
        Ok(Query {
            predicate: predicate(&map, &request.r#where)?,
            grid,
            map,
            packed: request.packed,
            left: if request.limit == 0 { u64::MAX } else { request.limit },
            place: Some(Place::default()),
            records: Vec::new().into_iter(),
        })
    }

    /// Looks at the rows of one turn.
    fn turn(&mut self) -> Result<v1::QueryReply> {
        let mut reply = v1::QueryReply::default();
        let mut bytes = 0;
        let mut looked_at = 0;
        while bytes < MESSAGE_BYTES && looked_at < TURN_ROWS && self.left > 0 {
            let Some(record) = self.records.next() else {
                let Some(place) = self.place else { break };
                let (records, next) = self.grid.scan(self.map.map.id, place)?;
                // An empty shard takes its time too.
                looked_at += 1;
                self.records = records.into_iter();
                self.place = next;
                continue;
            };
            looked_at += 1;
            let key = Key::from_packed(record.key())?;
            if self.predicate.as_ref().is_none_or(|predicate| matches(predicate, &self.map, &key, &record)) {
                bytes += record.value().len() + record.key().len();
                self.left -= 1;
                reply.rows.push(self.row(&key, &record)?);
            }
        }
        Ok(reply)
    }

    fn row(&self, key: &Key, record: &Record) -> Result<v1::KeyedRow> {
        if self.packed {
            let row = Some(keyed_row::Row::Stored(answer::stored(record)));
            return Ok(v1::KeyedRow { key: Some(rows::packed_key(record)), row });
        }
        let row = Some(keyed_row::Row::View(rows::view(&self.map, record)?));
        Ok(v1::KeyedRow { key: Some(rows::wire_key(key)), row })
    }

    fn is_over(&self) -> bool {
        self.left == 0 || self.place.is_none() && self.records.len() == 0
    }
}

impl Stream for Query {
    type Item = std::result::Result<v1::QueryReply, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over() {
            return Poll::Ready(None);
        }
        match self.turn() {
            Ok(reply) if reply.rows.is_empty() && self.is_over() => Poll::Ready(None),
            Ok(reply) if reply.rows.is_empty() => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Ok(reply) => Poll::Ready(Some(Ok(reply))),
            Err(error) => {
                self.left = 0;
                Poll::Ready(Some(Err(error.into())))
            }
        }
    }
}

fn predicate(map: &MapView, text: &str) -> Result<Option<Predicate>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let scope = match map.map.schema() {
        Some(schema) => Scope::feature(schema, map.map.key_kind),
        None => Scope::plain(map.map.key_kind),
    };
    Predicate::parse(text, &scope).map(Some)
}

fn matches(predicate: &Predicate, map: &MapView, key: &Key, record: &Record) -> bool {
    match map.map.schema() {
        Some(schema) => RowRef::trusted(schema, record.value())
            .is_ok_and(|row| predicate.matches(&Source::row(row, key.payload()))),
        None => predicate.matches(&Source::plain(record.value(), key.payload())),
    }
}
