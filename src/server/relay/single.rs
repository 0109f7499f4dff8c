//! One operation of a unary call passed on to another node.

use std::time::Duration;

use super::Operations;
use crate::{
    net::{Call, Raw},
    node::Grid,
    server::ask::ask,
    types::{Error, NodeId, SessionId},
    wire::{
        Elements, Packed,
        v1::{self, reply},
    },
};

/// Why another node's answer is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) enum Fault {
    /// The operation has not left this node.
    NotSent(Error),
    /// Whether it was carried out is not known.
    Lost(Error),
}

/// Has another node carry out an operation.
pub(in crate::server) async fn pass_on(
    grid: &Grid,
    to: NodeId,
    op: &v1::Op,
    within: Duration,
) -> std::result::Result<reply::Answer, Fault> {
    if !grid.net().is_some_and(|net| net.reaches(to, Operations::LANE)) {
        return Err(Fault::NotSent(Error::unavailable(format!("node {to} is not connected"))));
    }
    let mut ops = Packed::<3>::default();
    ops.push(op);
    let operations = Operations {
        session: SessionId::default(),
        acknowledged_below: 0,
        catalogue: grid.view().version,
        waited_us: 0,
        shows_rows: true,
        ops: Raw(ops.into_bytes()),
    };
    let Raw(replies) = ask(grid, to, &operations, within).await.map_err(Fault::Lost)?;
    let answer = Elements::read(replies, 2).and_then(|mut replies| {
        let reply: v1::Reply = replies.read_next()?.decode().ok()?;
        reply.answer
    });
    answer.ok_or_else(|| Fault::Lost(Error::internal(format!("the answer of node {to} is malformed"))))
}
