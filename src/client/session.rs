//! PURE: one session of the SDK: which operations leave in the next frame, under which numbers, and what becomes of
//! them when answers arrive, streams break or time runs out.
//!
//! A write keeps its number for as long as it is retried, so that the grid can answer the retry with the first
//! answer (protocol rule 11). Numbers are given when a write is first sent; one whose outcome nobody waits for any
//! more is settled, never sent again.

use std::collections::VecDeque;

use slab::Slab;

use super::{draft::Draft, numbers::Numbers};
use crate::{
    types::{Class, Error},
    wire::{
        ClientFrame, Packed,
        v1::{self, reply},
    },
};

/// What a session may have under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Numbers that may be unanswered.
    pub(super) outstanding: u32,
    /// Bytes of operations that go into one frame, unless a single one has more.
    pub(super) frame_bytes: usize,
    /// The longest frame that the node reads.
    pub(super) frame_most_bytes: usize,
    /// The shortest pause before a retry; it doubles with each attempt.
    pub(super) retry_us: u64,
    /// The longest pause before a retry.
    pub(super) retry_most_us: u64,
}

/// Who waits for an answer: opaque here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) call: u32,
    pub(super) index: u32,
}

/// What came of an operation.
pub(super) type Answer = Result<reply::Answer, Error>;

#[derive(Debug)]
enum State {
    /// Waits in the queue.
    Queued,
    /// On its way; an answer is owed.
    Sent,
    /// Was refused for the moment; goes back into the queue at this time.
    Parked { until_us: u64 },
}

#[derive(Debug)]
struct Pending {
    draft: Draft,
    /// A write's, once it was sent.
    number: u64,
    /// `None`: nobody waits any more, only the answer is still owed.
    caller: Option<Caller>,
    deadline_us: u64,
    state: State,
    attempts: u32,
    refusal: Option<Box<Error>>,
}

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    limits: Limits,
    /// By tag.
    pending: Slab<Pending>,
    /// Tags, in the order in which they leave.
    queue: VecDeque<u32>,
    parked: usize,
    /// Filled and emptied within a call; kept for its capacity.
    ops: Packed<3>,
    numbers: Numbers,
    identity: Option<Identity>,
    open: bool,
    /// Why the last stream broke.
    outage: Option<Error>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    session: u64,
    cluster: u64,
}

impl Session {
    pub(super) fn new(limits: Limits) -> Self {
        Session {
            limits,
            pending: Slab::new(),
            queue: VecDeque::new(),
            parked: 0,
            ops: Packed::default(),
            numbers: Numbers::new(),
            identity: None,
            open: false,
            outage: None,
        }
    }

    /// Takes an operation over. It leaves with the next frame that has room; one that no frame can hold is refused.
    pub(super) fn submit(&mut self, draft: Draft, caller: Caller, deadline_us: u64) -> Result<(), Error> {
        let (bytes, most) = (draft.bytes(), self.limits.frame_most_bytes);
        if bytes > most {
            return Err(Error::invalid(format!(
                "the operation has {bytes} bytes, more than the {most} of a frame"
            )));
        }
        // Fewer than 2^32 operations fit in memory.
        let tag = self.pending.insert(Pending {
            draft,
            number: 0,
            caller: Some(caller),
            deadline_us,
            state: State::Queued,
            attempts: 0,
            refusal: None,
        }) as u32;
        self.queue.push_back(tag);
        Ok(())
    }

    /// The first frame of a stream.
    pub(super) fn hello(&self) -> ClientFrame {
        let hello = v1::Hello {
            session: self.identity.map(|identity| identity.session),
            cluster: self.identity.map(|identity| identity.cluster),
        };
        ClientFrame {
            hello: Some(hello),
            acknowledged_below: self.numbers.acknowledged_below(),
            ..Default::default()
        }
    }

    /// The node has answered `hello`: operations may leave.
    ///
    /// If it does not know the session asked for, what was sent in it has an unknown outcome and is not sent again.
    pub(super) fn handle_welcome(&mut self, welcome: &v1::Welcome, answers: &mut Vec<(Caller, Answer)>) {
        let identity = Identity { session: welcome.session, cluster: welcome.cluster };
        if self.identity.is_some_and(|before| before != identity) {
            let tags = self.tags(|pending| pending.number != 0);
            for tag in tags {
                let lost = Error::unavailable("the session was lost while the write was under way")
                    .hint("whether it took effect is not known: read the row");
                self.finish(tag, Err(lost), answers);
            }
            self.queue.retain(|tag| self.pending.contains(*tag as usize));
            self.numbers = Numbers::new();
        }
        if welcome.max_outstanding > 0 {
            self.limits.outstanding = self.limits.outstanding.min(welcome.max_outstanding);
        }
        if welcome.max_frame_bytes > 0 {
            let most = welcome.max_frame_bytes as usize;
            self.limits.frame_most_bytes = most;
            self.limits.frame_bytes = self.limits.frame_bytes.min(most / 2);
        }
        self.identity = Some(identity);
        self.open = true;
    }

    /// The stream broke, or none could be opened. What was sent and not answered goes to the front of the queue, in the order of its numbers.
    pub(super) fn handle_disconnect(&mut self, outage: Error) {
        self.open = false;
        self.outage = Some(outage);
        for tag in self.tags(|pending| pending.caller.is_none()) {
            self.forget(tag);
        }
        let mut again = self.tags(|pending| matches!(pending.state, State::Sent));
        again.sort_by_key(|tag| self.pending.get(*tag as usize).map_or(0, |pending| pending.number));
        for tag in again.into_iter().rev() {
            if let Some(pending) = self.pending.get_mut(tag as usize) {
                pending.state = State::Queued;
                self.queue.push_front(tag);
            }
        }
    }

    /// What leaves now; `None` if nothing can.
    pub(super) fn frame(&mut self) -> Option<ClientFrame> {
        if !self.open || self.queue.is_empty() {
            return None;
        }
        let mut bytes = 0;
        while let Some((tag, pending)) =
            self.queue.front().and_then(|tag| Some((*tag, self.pending.get_mut(*tag as usize)?)))
        {
            let size = pending.draft.bytes();
            if !self.ops.is_empty() && bytes + size > self.limits.frame_bytes {
                break;
            }
            if pending.number == 0 && pending.draft.is_write() {
                match self.numbers.take(self.limits.outstanding) {
                    Some(number) => pending.number = number,
                    None => break,
                }
            }
            pending.state = State::Sent;
            bytes += size;
            pending.draft.put_into(&mut self.ops, tag, pending.number);
            self.queue.pop_front();
        }
        let acknowledged_below = self.numbers.acknowledged_below();
        let ops = self.ops.take(usize::MAX);
        (!ops.is_empty()).then(|| ClientFrame { acknowledged_below, ops, ..Default::default() })
    }

    /// An answer has arrived. It goes to the caller, unless the operation is to be retried.
    pub(super) fn handle_reply(
        &mut self,
        reply: v1::Reply,
        now_us: u64,
        answers: &mut Vec<(Caller, Answer)>,
    ) {
        let tag = reply.tag;
        let Some(pending) = self.pending.get_mut(tag as usize) else { return };
        if !matches!(pending.state, State::Sent) {
            return;
        }
        let answer = match reply.answer {
            Some(reply::Answer::Error(error)) => Err(Error::from(error)),
            Some(answer) => Ok(answer),
            None => Err(Error::internal("an answer of a kind that this client does not know")
                .hint("update the client")),
        };
        match answer {
            Err(refusal) if pending.caller.is_some() && is_passing(refusal.class) => {
                let pause_us = self
                    .limits
                    .retry_us
                    .saturating_mul(1 << pending.attempts.min(16))
                    .min(self.limits.retry_most_us);
                // Spread by tag, so that what was refused together does not come back together.
                let until_us = now_us + pause_us + pause_us * u64::from(tag % 8) / 8;
                if until_us >= pending.deadline_us {
                    return self.finish(tag, Err(refusal), answers);
                }
                pending.attempts += 1;
                pending.refusal = Some(Box::new(refusal));
                pending.state = State::Parked { until_us };
                self.parked += 1;
            }
            answer => self.finish(tag, answer, answers),
        }
    }

    /// Time has passed: what is due for a retry goes back into the queue, and whoever has waited too long is told so.
    pub(super) fn handle_tick(&mut self, now_us: u64, answers: &mut Vec<(Caller, Answer)>) {
        if self.pending.is_empty() {
            return;
        }
        for tag in self.tags(|pending| pending.caller.is_some() && pending.deadline_us <= now_us) {
            self.give_up(tag, answers);
        }
        self.queue.retain(|tag| self.pending.contains(*tag as usize));
        if self.parked == 0 {
            return;
        }
        let due =
            |pending: &Pending| matches!(pending.state, State::Parked { until_us } if until_us <= now_us);
        for tag in self.tags(due) {
            if let Some(pending) = self.pending.get_mut(tag as usize) {
                pending.state = State::Queued;
                self.parked -= 1;
                self.queue.push_back(tag);
            }
        }
    }

    /// Whether anything waits to be sent.
    pub(super) fn wants_to_send(&self) -> bool {
        self.open && !self.queue.is_empty()
    }

    /// Tells the caller that time has run out. What is under way stays, for its answer is owed.
    fn give_up(&mut self, tag: u32, answers: &mut Vec<(Caller, Answer)>) {
        let Some(pending) = self.pending.get_mut(tag as usize) else { return };
        let sent = matches!(pending.state, State::Sent);
        let error = match pending.refusal.take() {
            Some(refusal) => *refusal,
            None if sent && pending.draft.is_write() => Error::deadline("the write was not answered in time")
                .hint("whether it took effect is not known: read the row"),
            None if sent => Error::deadline("the read was not answered in time"),
            None if self.open => Error::deadline("the operation could not be sent in time")
                .hint("too many operations are under way: wait for their answers"),
            None => self.outage.clone().unwrap_or_else(|| Error::unavailable("there is no connection yet")),
        };
        if !sent || !self.open {
            return self.finish(tag, Err(error), answers);
        }
        if let Some(caller) = pending.caller.take() {
            answers.push((caller, Err(error)));
        }
    }

    fn finish(&mut self, tag: u32, answer: Answer, answers: &mut Vec<(Caller, Answer)>) {
        if let Some(caller) = self.forget(tag) {
            answers.push((caller, answer));
        }
    }

    fn forget(&mut self, tag: u32) -> Option<Caller> {
        let pending = self.pending.try_remove(tag as usize)?;
        if matches!(pending.state, State::Parked { .. }) {
            self.parked -= 1;
        }
        if pending.number != 0 {
            self.numbers.settle(pending.number);
        }
        pending.caller
    }

    fn tags(&self, which: impl Fn(&Pending) -> bool) -> Vec<u32> {
        self.pending.iter().filter(|(_, pending)| which(pending)).map(|(tag, _)| tag as u32).collect()
    }
}

/// Whether the same request may succeed a moment later.
fn is_passing(class: Class) -> bool {
    matches!(class, Class::NotPrimary | Class::Overloaded | Class::Unavailable)
}

#[cfg(test)]
mod tests;
