//! Callers that wait for answers: one entry a call, however many operations it has.

use std::task::{Context, Poll, Waker};

use slab::Slab;
use smallvec::SmallVec;

use crate::{session::Caller, types::Error, wire::v1::reply};

/// What came of an operation.
pub(super) type Answer = Result<reply::Answer, Error>;

/// The answers to a call's operations, in their order.
pub(super) type Answers = SmallVec<[Option<Answer>; 1]>;

#[derive(Debug)]
struct Call {
    answers: Answers,
    missing: u32,
    /// `None` while the caller is not waiting, or has gone.
    waker: Option<Waker>,
    gone: bool,
}

/// All calls of one connection.
#[derive(Debug, Default)]
pub(super) struct Calls(Slab<Call>);

impl Calls {
    /// A call of `len` operations.
    pub(super) fn open(&mut self, len: usize, waker: &Waker) -> u32 {
        let answers = (0..len).map(|_| None).collect();
        // Fewer than 2^32 calls and operations fit in memory.
        self.0.insert(Call { answers, missing: len as u32, waker: Some(waker.clone()), gone: false }) as u32
    }

    /// Hands an answer over; gives the waker of a call that is complete.
    pub(super) fn answer(&mut self, caller: Caller, answer: Answer) -> Option<Waker> {
        let call = self.0.get_mut(caller.call as usize)?;
        *call.answers.get_mut(caller.index as usize)? = Some(answer);
        call.missing -= 1;
        if call.missing > 0 {
            return None;
        }
        if call.gone {
            self.0.remove(caller.call as usize);
            return None;
        }
        call.waker.take()
    }

    /// The answers, once all are there; the call is over then.
    pub(super) fn poll(&mut self, call: u32, cx: &mut Context<'_>) -> Poll<Answers> {
        let Some(waiting) = self.0.get_mut(call as usize) else { return Poll::Pending };
        if waiting.missing == 0 {
            return Poll::Ready(self.0.remove(call as usize).answers);
        }
        match &mut waiting.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// The caller does not wait any longer.
    pub(super) fn leave(&mut self, call: u32) {
        if let Some(waiting) = self.0.get_mut(call as usize) {
            waiting.gone = true;
            waiting.waker = None;
            if waiting.missing == 0 {
                self.0.remove(call as usize);
            }
        }
    }
}
