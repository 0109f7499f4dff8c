//! What other nodes pass on to this one.

use std::future::poll_fn;

use super::{ANSWER_BYTES, Operations};
use crate::{
    net::Raw,
    node::{Grid, Primaries},
    server::{desk::Desk, operation::Frame, route::Route},
    types::{Error, Key, Result},
    wire::{Elements, OpRef},
};

/// The field of operations in a frame.
const OPS: u32 = 3;

/// Carries out a batch and answers all of it. Nothing is passed on a second time.
pub(super) async fn carry_out(grid: Grid, batch: Operations) -> Result<Raw> {
    // Who names a map by its id may know of it before this node does.
    grid.adopt(batch.catalogue).await?;
    let mut desk = Desk::open(grid.clone(), batch.shows_rows);
    take(&grid, &mut desk, batch)?;
    desk.submit();
    while desk.under_way() > 0 {
        poll_fn(|cx| desk.poll_answers(cx)).await;
    }
    Ok(Raw(desk.take_ready(usize::MAX).into_bytes()))
}

/// Takes the operations in, in their order; writes go to the partitions only when all are read, so that an error here
/// leaves nothing done.
fn take(grid: &Grid, desk: &mut Desk, batch: Operations) -> Result<()> {
    let (view, primaries) = (grid.view(), grid.primaries());
    let frame = Frame {
        grid,
        view: &view,
        session: batch.session,
        acknowledged_below: batch.acknowledged_below,
        now_us: grid.mono_us().saturating_sub(batch.waited_us),
    };
    let mut ops = Elements::read(batch.ops.0, OPS).ok_or_else(|| malformed("they are not whole"))?;
    while let Some(element) = ops.read_next() {
        let op = OpRef::read(element).map_err(malformed)?;
        if desk.ready_bytes() + desk.bytes() >= ANSWER_BYTES {
            let refusal = Error::overloaded("the answers to what was asked together are too long");
            desk.refuse(op.tag, refusal.hint("ask for fewer rows at a time"));
            continue;
        }
        let key = Key::from_packed(op.key).map_err(Error::from)?;
        let partition = grid.partition_of(&key);
        match Route::to(partition, &primaries, grid.me()) {
            Route::Here => desk.take(&frame, (partition, key), op, element.bytes().len()),
            Route::At(node) => desk.refuse(op.tag, Primaries::elsewhere(partition, Some(node))),
            Route::Nowhere => desk.refuse(op.tag, Primaries::elsewhere(partition, None)),
        }
        if desk.has_enough_reads() {
            desk.read(usize::MAX);
        }
    }
    desk.read(usize::MAX);
    Ok(())
}

fn malformed(why: impl std::fmt::Display) -> Error {
    Error::invalid(format!("the operations of another node are malformed: {why}"))
}
