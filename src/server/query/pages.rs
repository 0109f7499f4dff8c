//! A query on its way through all partitions.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use prost::Message;

use super::{
    Wanted,
    page::{Ask, Page},
};
use crate::{
    node::{Grid, Primaries},
    partition::MapView,
    server::{
        ask::ask,
        patience::{Patience, is_passing},
        relay,
        route::Route,
        scan::{Mark, Scan},
    },
    types::{Class, Error, NodeId, PartitionId, Result},
    wire::v1,
};

/// Bytes of rows in one message, about.
const MESSAGE_BYTES: usize = 64 << 10;
/// Rows looked at before other tasks get their turn.
const TURN_ROWS: usize = 4_096;

/// A query on its way. A partition is read from its beginning to its end at one replica; if that is not to be, it is read
/// elsewhere as long as none of its rows was given, and otherwise the query fails: no row is given twice, and none is
/// left out.
pub(super) struct Pages {
    grid: Grid,
    wanted: Wanted,
    condition: String,
    /// Rows that may still be given.
    left: u64,
    stretches: VecDeque<Stretch>,
    /// Partitions that were not where they were sought.
    again: Vec<PartitionId>,
    /// Why.
    refusal: Option<Error>,
    /// Since the last row was given.
    patience: Option<Patience>,
}

/// Partitions of one node, and how far the first of them is read.
struct Stretch {
    node: NodeId,
    partitions: VecDeque<PartitionId>,
    /// At this node.
    scan: Option<Scan>,
    /// At another.
    mark: Option<Mark>,
    /// Some of its rows were given.
    begun: bool,
}

impl Stretch {
    fn new(node: NodeId) -> Self {
        Stretch { node, partitions: VecDeque::new(), scan: None, mark: None, begun: false }
    }

    /// Goes on with the next partition.
    fn finish(&mut self) -> Option<PartitionId> {
        (self.scan, self.mark, self.begun) = (None, None, false);
        self.partitions.pop_front()
    }

    /// Gives up the partition that cannot be read on here, to be read elsewhere.
    fn give_up(&mut self) -> Result<Option<PartitionId>> {
        match self.partitions.front() {
            Some(partition) if self.begun => {
                Err(Error::unavailable(format!("partition {partition} has moved while its rows were read"))
                    .hint("query again"))
            }
            _ => Ok(self.finish()),
        }
    }
}

impl Pages {
    pub(super) fn new(grid: Grid, map: Arc<MapView>, request: v1::QueryRequest) -> Result<Self> {
        let mut pages = Pages {
            wanted: Wanted::new(map, &request.r#where, request.packed)?,
            condition: request.r#where,
            left: if request.limit == 0 { u64::MAX } else { request.limit },
            stretches: VecDeque::new(),
            again: grid.partitions().collect(),
            refusal: None,
            patience: None,
            grid,
        };
        pages.route()?;
        Ok(pages)
    }

    /// The next rows, if there are any.
    pub(super) async fn next(&mut self) -> Result<Option<v1::QueryReply>> {
        while self.left > 0 {
            let mut reply = match self.stretches.front().map(|stretch| stretch.node) {
                Some(node) if node == self.grid.me() => self.read_here()?,
                Some(node) => self.read_there(node).await?,
                None if self.again.is_empty() => return Ok(None),
                None => {
                    self.pause().await?;
                    continue;
                }
            };
            reply.rows.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
            if !reply.rows.is_empty() {
                self.left -= reply.rows.len() as u64;
                self.patience = None;
                return Ok(Some(reply));
            }
            tokio::task::yield_now().await;
        }
        Ok(None)
    }

    /// Looks for the primaries of the partitions that are to be read again.
    fn route(&mut self) -> Result<()> {
        let (primaries, me) = (self.grid.primaries(), self.grid.me());
        let mut by_node: BTreeMap<NodeId, Stretch> = BTreeMap::new();
        for partition in self.again.drain(..) {
            let node = match Route::to(partition, &primaries, me) {
                Route::Here => me,
                Route::At(node) => node,
                Route::Nowhere => return Err(Primaries::elsewhere(partition, None)),
            };
            by_node.entry(node).or_insert_with(|| Stretch::new(node)).partitions.push_back(partition);
        }
        self.stretches.extend(by_node.into_values());
        Ok(())
    }

    /// Waits before partitions are looked for again.
    async fn pause(&mut self) -> Result<()> {
        let now_us = self.grid.mono_us();
        let patience = self.patience.get_or_insert_with(|| Patience::until(None, now_us));
        let refusal = self.refusal.take();
        let refusal = refusal.unwrap_or_else(|| Error::unavailable("a partition is on the move"));
        patience.pause(&self.grid, refusal).await?;
        self.route()
    }

    /// Reads the rows of one turn at this node.
    fn read_here(&mut self) -> Result<v1::QueryReply> {
        let map = self.wanted.map.map.id;
        let mut reply = v1::QueryReply::default();
        let (mut bytes, mut looked_at) = (0, 0);
        while bytes < MESSAGE_BYTES && looked_at < TURN_ROWS && (reply.rows.len() as u64) < self.left {
            let Some(stretch) = self.stretches.front_mut() else { break };
            let Some(partition) = stretch.partitions.front() else {
                self.stretches.pop_front();
                break;
            };
            // An empty shard takes its time too.
            looked_at += 1;
            let scan = stretch.scan.get_or_insert_with(|| Scan::begin(*partition));
            if let Some(record) = scan.records().next() {
                if let Some(row) = self.wanted.row(&record)? {
                    bytes += row.encoded_len();
                    stretch.begun = true;
                    reply.rows.push(row);
                }
                continue;
            }
            match scan.next_shard(&self.grid, map) {
                Ok(true) => {}
                Ok(false) => drop(stretch.finish()),
                Err(error) if is_passing(&error) => {
                    self.again.extend(stretch.give_up()?);
                    self.refusal = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(reply)
    }

    /// Has a page read at another node.
    async fn read_there(&mut self, node: NodeId) -> Result<v1::QueryReply> {
        let Some(stretch) = self.stretches.front_mut() else { return Ok(v1::QueryReply::default()) };
        let page = Ask {
            catalogue: self.grid.view().version,
            map: self.wanted.map.map.id,
            condition: self.condition.clone(),
            packed: self.wanted.packed,
            limit: self.left,
            partitions: stretch.partitions.iter().copied().collect(),
            from: stretch.mark.clone(),
        };
        match ask(&self.grid, node, &page, relay::WITHIN).await {
            Ok(page) => self.take(node, page),
            Err(error) if matches!(error.class, Class::Unavailable | Class::Deadline) => {
                self.again.extend(stretch.give_up()?);
                self.again.extend(stretch.partitions.drain(..));
                self.stretches.pop_front();
                self.refusal = Some(error);
                Ok(v1::QueryReply::default())
            }
            Err(error) => Err(error),
        }
    }

    /// Takes a page in.
    fn take(&mut self, node: NodeId, page: Page) -> Result<v1::QueryReply> {
        let Page { reply, finished, next, begun, moved } = page;
        let malformed = || Error::internal(format!("a page of node {node} is malformed"));
        let reply = v1::QueryReply::decode(reply.0).map_err(|_| malformed())?;
        let Some(stretch) = self.stretches.front_mut() else { return Ok(reply) };
        if finished > stretch.partitions.len() || (finished == 0 && next.is_none() && !moved) {
            return Err(malformed());
        }
        for _ in 0..finished {
            stretch.finish();
        }
        stretch.mark = next;
        stretch.begun |= begun;
        if moved {
            if let Some(partition) = stretch.partitions.front() {
                self.refusal = Some(Primaries::elsewhere(*partition, Some(node)));
            }
            self.again.extend(stretch.give_up()?);
        }
        if stretch.partitions.is_empty() {
            self.stretches.pop_front();
        }
        Ok(reply)
    }
}
