//! Where operations are carried out that belong to partitions of this node: packed they come in, and packed the answers
//! go out. A client's session has a desk, and so has each batch that another node passes on for its clients.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll},
};

use slab::Slab;

use super::{
    answer,
    operation::{Action, Frame},
};
use crate::{
    node::{Connection, Grid, Replies, Reply},
    partition::{MapView, Op, Request},
    store::GLANCES,
    types::{Error, Key, MapId, PartitionId},
    wire::{
        Element, OpRef, Packed, TAG,
        v1::{self, reply},
    },
};

/// Operations under way, and the replies to those that are not.
pub(super) struct Desk {
    grid: Grid,
    connection: Connection,
    replies: Replies,
    /// Whether the answer to a put has the row where it holds what was not sent.
    shows_rows: bool,
    /// Reads that are not answered: a few, so that their rows are found together.
    reads: VecDeque<Read>,
    /// Filled and emptied within a call; kept for their capacity.
    requests: Vec<(PartitionId, Request)>,
    answered: Vec<Reply>,
    /// Writes whose answers are owed.
    under_way: Slab<Write>,
    /// Of operations under way.
    bytes: usize,
    /// Replies that have not left.
    ready: Packed<2>,
}

/// A read to be answered.
struct Read {
    /// The client's.
    tag: u32,
    partition: PartitionId,
    map: MapId,
    key: Key,
    only_version: bool,
}

/// A write whose answer is owed.
struct Write {
    /// The client's.
    tag: u32,
    bytes: usize,
    map: Arc<MapView>,
    shows_row: bool,
}

impl Desk {
    pub(super) fn open(grid: Grid, shows_rows: bool) -> Self {
        let connection = grid.connect();
        let replies = connection.replies();
        Desk {
            grid,
            connection,
            replies,
            shows_rows,
            reads: VecDeque::new(),
            requests: Vec::new(),
            answered: Vec::new(),
            under_way: Slab::new(),
            bytes: 0,
            ready: Packed::default(),
        }
    }

    /// How many writes are under way.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// The bytes of operations under way.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The bytes of replies that have not left.
    pub(super) fn ready_bytes(&self) -> usize {
        self.ready.len()
    }

    /// Replies that leave together.
    pub(super) fn take_ready(&mut self, bytes: usize) -> Packed<2> {
        self.ready.take(bytes)
    }

    /// Whether reads wait to be answered.
    pub(super) fn has_reads(&self) -> bool {
        !self.reads.is_empty()
    }

    /// Whether as many reads wait as are answered together.
    pub(super) fn has_enough_reads(&self) -> bool {
        self.reads.len() >= GLANCES
    }

    /// Takes an operation on a key of a partition of this node; it had so many bytes.
    pub(super) fn take(
        &mut self,
        frame: &Frame<'_>,
        (partition, key): (PartitionId, Key),
        op: OpRef<'_>,
        bytes: usize,
    ) {
        let tag = op.tag;
        let slot = self.under_way.vacant_key();
        let operation = match frame.operation(op, key, slot as u64) {
            Ok(operation) => operation,
            Err(error) => return self.refuse(tag, error),
        };
        match operation.action {
            Action::Read { key, only_version } => {
                let map = operation.map.map.id;
                self.reads.push_back(Read { tag, partition, map, key, only_version });
            }
            Action::Write(request) => {
                let bytes = bytes + self.reserve(partition, &request);
                let shows_row = self.shows_rows || matches!(request.op, Op::Update(_));
                self.under_way.insert(Write { tag, bytes, map: operation.map.clone(), shows_row });
                self.bytes += bytes;
                self.requests.push((partition, request));
            }
        }
    }

    /// Room for the old value in the reply.
    fn reserve(&self, partition: PartitionId, request: &Request) -> usize {
        let (Op::Put { want_old: true, .. } | Op::Remove { want_old: true, .. }) = &request.op else {
            return 0;
        };
        let old = self.grid.read(partition, request.map, &request.key).ok().flatten();
        old.map_or(0, |record| record.value().len())
    }

    /// Answers the reads gathered, until there are so many bytes of replies.
    pub(super) fn read(&mut self, most_bytes: usize) {
        self.grid.warm(self.reads.iter().map(|read| (read.partition, read.map, &read.key)));
        while self.ready.len() < most_bytes {
            let Some(Read { tag, partition, map, key, only_version }) = self.reads.pop_front() else { break };
            let found = self.grid.read(partition, map, &key);
            self.reply(tag, answer::read(found, only_version));
        }
    }

    /// Hands the writes gathered to their partitions.
    pub(super) fn submit(&mut self) {
        if !self.requests.is_empty() {
            self.connection.submit(&mut self.requests);
        }
    }

    /// Takes in the answers that have come; while there are none, the first to come wakes the task.
    pub(super) fn poll_answers(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut answered = std::mem::take(&mut self.answered);
        let polled = self.replies.poll_take(cx, &mut answered);
        for Reply { tag, answer } in answered.drain(..) {
            let Some(write) = self.under_way.try_remove(tag as usize) else { continue };
            self.bytes -= write.bytes;
            self.reply(write.tag, answer::written(&write.map, answer, write.shows_row));
        }
        self.answered = answered;
        polled
    }

    /// Answers an operation with an error.
    pub(super) fn refuse(&mut self, tag: u32, error: Error) {
        self.reply(tag, reply::Answer::Error(error.into()));
    }

    /// Answers an operation with another node's reply.
    pub(super) fn pass_back(&mut self, tag: u32, reply: Element<'_>) {
        self.ready.push_with(reply, &[(TAG, tag)]);
    }

    fn reply(&mut self, tag: u32, answer: reply::Answer) {
        self.ready.push(&v1::Reply { tag, answer: Some(answer) });
    }
}
