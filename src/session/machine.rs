//! The session: what was submitted and is not answered, and what leaves next.

use std::collections::VecDeque;

use slab::Slab;

use super::{
    calling::{Caller, Limits, Operation},
    link::{Link, LinkId},
    numbers::Numbers,
    stream::Identity,
    topology::Topology,
};
use crate::{mutant::Mutant, types::Error};

/// One session. `O` is an operation.
#[derive(Debug)]
pub struct Session<O> {
    pub(super) limits: Limits,
    /// By tag.
    pub(super) pending: Slab<Pending<O>>,
    /// How many operations were submitted.
    submitted: u64,
    pub(super) parked: usize,
    pub(super) numbers: Numbers,
    pub(super) identity: Option<Identity>,
    pub(super) links: Slab<Link>,
    /// Tags of what waits for any link to open.
    pub(super) stranded: VecDeque<u32>,
    pub(super) topology: Option<Topology>,
    /// By partition: the link to the primary's node.
    pub(super) primaries: Vec<Option<LinkId>>,
    /// Streams that are of no use any more, and not yet told of.
    pub(super) broken: Vec<LinkId>,
    /// Why the last stream broke.
    pub(super) outage: Option<Error>,
}

/// An operation that is not answered.
#[derive(Debug)]
pub(super) struct Pending<O> {
    pub(super) op: O,
    /// Its place among all that were submitted.
    pub(super) order: u64,
    /// A write's, once it was sent.
    pub(super) number: u64,
    /// `None`: nobody waits any more, only the answer is still owed.
    pub(super) caller: Option<Caller>,
    pub(super) deadline_us: u64,
    pub(super) state: State,
    pub(super) attempts: u32,
    pub(super) refusal: Option<Box<Error>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Waits in a queue.
    Queued,
    /// On its way over a link; an answer is owed.
    Sent(LinkId),
    /// Was refused for the moment.
    Parked {
        /// Goes back into a queue at this time.
        until_us: u64,
        /// News of the primaries bring it back at once.
        is_astray: bool,
    },
}

impl<O: Operation> Session<O> {
    /// A session that no node knows yet.
    pub fn new(limits: Limits) -> Self {
        Session {
            limits,
            pending: Slab::new(),
            submitted: 0,
            parked: 0,
            numbers: Numbers::new(),
            identity: None,
            links: Slab::new(),
            stranded: VecDeque::new(),
            topology: None,
            primaries: Vec::new(),
            broken: Vec::new(),
            outage: None,
        }
    }

    /// Takes an operation over. It leaves with the next frame that has room; one that no frame can hold is refused.
    pub fn submit(&mut self, op: O, caller: Caller, deadline_us: u64) -> Result<(), Error> {
        let (bytes, most) = (op.bytes(), self.limits.frame_most_bytes);
        if bytes > most {
            return Err(Error::invalid(format!(
                "the operation has {bytes} bytes, more than the {most} of a frame"
            )));
        }
        let target = self.target(op.key());
        self.submitted += 1;
        // Fewer than 2^32 operations fit in memory.
        let tag = self.pending.insert(Pending {
            op,
            order: self.submitted,
            number: 0,
            caller: Some(caller),
            deadline_us,
            state: State::Queued,
            attempts: 0,
            refusal: None,
        }) as u32;
        self.queue(target).push_back(tag);
        Ok(())
    }

    /// What leaves over a link now: each operation is given to `put` with its tag and number, and all of them share the
    /// watermark returned, below which every number is settled. `None` if nothing leaves.
    pub fn frame(&mut self, link: LinkId, mut put: impl FnMut(&O, u32, u64)) -> Option<u64> {
        let queue = match self.links.get_mut(link.0) {
            Some(link) if link.is_open => &mut link.queue,
            _ => return None,
        };
        let mut bytes = 0;
        let mut is_empty = true;
        while let Some((tag, pending)) =
            queue.front().and_then(|tag| Some((*tag, self.pending.get_mut(*tag as usize)?)))
        {
            let size = pending.op.bytes();
            if !is_empty && bytes + size > self.limits.frame_bytes {
                break;
            }
            let is_anew = Mutant::Renumbers.is_on() && pending.attempts > 0;
            if (pending.number == 0 || is_anew) && pending.op.is_write() {
                match self.numbers.take(self.limits.outstanding) {
                    Some(number) => pending.number = number,
                    None => break,
                }
            }
            pending.state = State::Sent(link);
            bytes += size;
            put(&pending.op, tag, pending.number);
            queue.pop_front();
            is_empty = false;
        }
        (!is_empty).then(|| self.numbers.acknowledged_below())
    }

    /// Whether anything waits to be sent over a link.
    pub fn wants_to_send(&self, link: LinkId) -> bool {
        self.links.get(link.0).is_some_and(|link| link.is_open && !link.queue.is_empty())
    }

    /// How many operations are not answered.
    pub fn under_way(&self) -> usize {
        self.pending.len()
    }

    /// Ends an operation; gives who waits for it.
    pub(super) fn forget(&mut self, tag: u32) -> Option<Caller> {
        let pending = self.pending.try_remove(tag as usize)?;
        if matches!(pending.state, State::Parked { .. }) {
            self.parked -= 1;
        }
        if pending.number != 0 {
            self.numbers.settle(pending.number);
        }
        pending.caller
    }

    pub(super) fn tags(&self, which: impl Fn(&Pending<O>) -> bool) -> Vec<u32> {
        self.pending.iter().filter(|(_, pending)| which(pending)).map(|(tag, _)| tag as u32).collect()
    }
}
