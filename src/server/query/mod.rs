//! Queries: a scan of all partitions, as fast as the client reads. Those of other nodes are read there, page by page, and
//! the predicate is evaluated there too.

mod page;
mod pages;

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use self::pages::Pages;
use super::{answer, rows};
use crate::{
    expr::{Predicate, Scope, Source},
    net::Net,
    node::Grid,
    partition::MapView,
    row::RowRef,
    store::Record,
    types::{Key, Result},
    wire::v1::{self, keyed_row},
};

/// Messages that wait for the client to read them.
const MESSAGES: usize = 2;

/// Which rows are looked for, and how they are given.
#[derive(Debug)]
struct Wanted {
    map: Arc<MapView>,
    predicate: Option<Predicate>,
    packed: bool,
}

/// Starts a query. It ends when its stream is dropped.
pub(super) fn open(
    grid: &Grid,
    map: Arc<MapView>,
    request: v1::QueryRequest,
) -> Result<ReceiverStream<std::result::Result<v1::QueryReply, Status>>> {
    let mut pages = Pages::new(grid.clone(), map, request)?;
    let (sender, receiver) = mpsc::channel(MESSAGES);
    tokio::spawn(async move {
        loop {
            let page = tokio::select! {
                page = pages.next() => page,
                () = sender.closed() => return,
            };
            let (message, is_last) = match page {
                Ok(Some(page)) => (Ok(page), false),
                Ok(None) => return,
                Err(error) => (Err(error.into()), true),
            };
            if sender.send(message).await.is_err() || is_last {
                return;
            }
        }
    });
    Ok(ReceiverStream::new(receiver))
}

/// Reads pages for other nodes.
pub(super) fn answer(grid: &Grid, net: &Net) {
    page::answer(grid, net);
}

impl Wanted {
    fn new(map: Arc<MapView>, condition: &str, packed: bool) -> Result<Self> {
        Ok(Wanted { predicate: predicate(&map, condition)?, map, packed })
    }

    /// The row as it is given, if it is wanted.
    fn row(&self, record: &Record) -> Result<Option<v1::KeyedRow>> {
        let key = Key::from_packed(record.key())?;
        if self.predicate.as_ref().is_some_and(|predicate| !self.matches(predicate, &key, record)) {
            return Ok(None);
        }
        if self.packed {
            let row = Some(keyed_row::Row::Stored(answer::stored(record)));
            return Ok(Some(v1::KeyedRow { key: Some(rows::packed_key(record)), row }));
        }
        let row = Some(keyed_row::Row::View(rows::view(&self.map, record)?));
        Ok(Some(v1::KeyedRow { key: Some(rows::wire_key(&key)), row }))
    }

    fn matches(&self, predicate: &Predicate, key: &Key, record: &Record) -> bool {
        match self.map.map.schema() {
            Some(schema) => RowRef::trusted(schema, record.value())
                .is_ok_and(|row| predicate.matches(&Source::row(row, key.payload()))),
            None => predicate.matches(&Source::plain(record.value(), key.payload())),
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
