//! A session by hand: what is submitted, what the nodes say, what leaves.

mod several;
mod single;
mod storm;

use super::*;
use crate::{
    topology::partition_of,
    types::{Class, Error, Key, NodeId, PlacementVersion, SessionId},
};

const LIMITS: Limits = Limits {
    outstanding: 4,
    frame_bytes: 400,
    frame_most_bytes: 1000,
    retry_us: 1_000,
    retry_most_us: 4_000,
    astray_most_us: 2_000,
    silence_us: 10_000,
    missed_us: 20_000,
};
const DEADLINE_US: u64 = 100_000;
const CLUSTER: u64 = 1;

/// The only node of most tests, and then others.
const A: NodeId = NodeId(10);
const B: NodeId = NodeId(11);
const C: NodeId = NodeId(12);

#[derive(Debug)]
struct Op {
    key: Key,
    bytes: usize,
    is_write: bool,
}

impl Operation for Op {
    fn key(&self) -> &[u8] {
        self.key.packed()
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn is_write(&self) -> bool {
        self.is_write
    }
}

type Told = Answers<&'static str>;

fn identity(session: u64, cluster: u64) -> Identity {
    Identity { session: SessionId(session), cluster }
}

fn caller(call: u32) -> Caller {
    Caller { call, index: 0 }
}

fn outage() -> Error {
    Error::unavailable("the stream broke")
}

/// A session and what happens to it, by short names.
struct Rig {
    session: Session<Op>,
    now_us: u64,
}

impl Rig {
    fn new() -> Self {
        Rig { session: Session::new(LIMITS), now_us: 0 }
    }

    /// Says hello to a node, which knows the session as asked.
    fn open(&mut self, node: NodeId) -> LinkId {
        let identity = self.session.identity().unwrap_or(identity(7, CLUSTER));
        let (link, answers) = self.welcome(node, identity);
        assert_eq!(answers, []);
        link.expect("the stream is of use")
    }

    fn welcome(&mut self, node: NodeId, identity: Identity) -> (Option<LinkId>, Told) {
        let asked = self.session.hello().identity;
        self.welcome_late(node, asked, identity)
    }

    fn welcome_late(
        &mut self,
        node: NodeId,
        asked: Option<Identity>,
        identity: Identity,
    ) -> (Option<LinkId>, Told) {
        let mut answers = Told::new();
        let welcome = Welcome { node, asked, identity, max_outstanding: 0, max_frame_bytes: 0 };
        let link = self.session.handle_welcome(&welcome, self.now_us, &mut answers);
        (link, answers)
    }

    /// Two partitions, with these primaries.
    fn topology(&mut self, version: u64, nodes: &[NodeId], primaries: [Option<u16>; 2]) -> bool {
        self.session.handle_topology(topology(version, nodes, primaries), self.now_us)
    }

    fn put(&mut self, call: u32) {
        self.put_in(call, 0);
    }

    /// Writes a key of a partition, of two.
    fn put_in(&mut self, call: u32, partition: u16) {
        let op = Op { key: key_in(partition), bytes: 30, is_write: true };
        self.session.submit(op, caller(call), DEADLINE_US).expect("it fits");
    }

    fn put_bytes(&mut self, call: u32, bytes: usize) -> Result<(), Error> {
        self.session.submit(Op { key: key_in(0), bytes, is_write: true }, caller(call), DEADLINE_US)
    }

    fn get(&mut self, call: u32) {
        let op = Op { key: key_in(0), bytes: 30, is_write: false };
        self.session.submit(op, caller(call), DEADLINE_US).expect("it fits");
    }

    /// The (tag, number) of each operation in the next frame, and its watermark.
    fn frame(&mut self, link: LinkId) -> (Vec<(u32, u64)>, u64) {
        let mut ops = Vec::new();
        let below = self.session.frame(link, |_, tag, number| ops.push((tag, number)));
        assert_eq!(below.is_some(), !ops.is_empty());
        (ops, below.unwrap_or(0))
    }

    /// The tags and numbers alone.
    fn sent(&mut self, link: LinkId) -> Vec<(u32, u64)> {
        self.frame(link).0
    }

    fn reply(&mut self, link: LinkId, tag: u32, answer: Result<&'static str, Error>) -> Told {
        let mut answers = Told::new();
        self.session.handle_reply(link, tag, answer, self.now_us, &mut answers);
        answers
    }

    fn refuse(&mut self, link: LinkId, tag: u32, class: Class) -> Told {
        self.reply(link, tag, Err(refusal(class)))
    }

    fn disconnect(&mut self, link: LinkId) {
        self.session.handle_disconnect(link, outage(), self.now_us);
    }

    fn tick(&mut self, now_us: u64) -> Told {
        self.now_us = now_us;
        let mut answers = Told::new();
        self.session.handle_tick(now_us, &mut answers);
        answers
    }

    fn broken(&mut self) -> Vec<LinkId> {
        self.session.take_broken().collect()
    }

    fn acknowledged_below(&self) -> u64 {
        self.session.hello().acknowledged_below
    }
}

fn topology(version: u64, nodes: &[NodeId], primaries: [Option<u16>; 2]) -> Topology {
    let node = |id: &NodeId| Node { id: *id, address: format!("node-{id}:7700") };
    Topology {
        cluster: CLUSTER,
        version: PlacementVersion(version),
        nodes: nodes.iter().map(node).collect(),
        primaries: primaries.to_vec(),
    }
}

fn refusal(class: Class) -> Error {
    Error::new(class, "not now")
}

/// A key of a partition, of two.
fn key_in(partition: u16) -> Key {
    (0..).map(Key::from).find(|key| partition_of(key, 2).0 == partition).expect("keys are many")
}
