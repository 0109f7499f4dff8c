//! A call: some operations of one caller, and their answers.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use smallvec::SmallVec;

use super::{Drafts, Shared};
use crate::{client::calls::Answers, session::Caller};

/// The answers to a call's operations, in their order.
#[derive(Debug)]
#[must_use = "nothing is sent before the call is awaited"]
pub(in crate::client) struct CallFuture<'a> {
    shared: &'a Shared,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    New(Drafts),
    Waiting(u32),
    Over,
}

impl<'a> CallFuture<'a> {
    pub(super) fn new(shared: &'a Shared, drafts: Drafts) -> Self {
        CallFuture { shared, stage: Stage::New(drafts) }
    }

    fn begin(&mut self, drafts: Drafts, cx: &mut Context<'_>) {
        let timeout_us = self.shared.options.timeout.as_micros() as u64;
        let deadline_us = self.shared.now_us().saturating_add(timeout_us);
        let mut writers: SmallVec<[Waker; 4]> = SmallVec::new();
        let mut state = self.shared.state.lock();
        let state_mut = &mut *state;
        let call = state_mut.calls.open(drafts.len(), cx.waker());
        self.stage = Stage::Waiting(call);
        for (index, draft) in drafts.into_iter().enumerate() {
            let caller = Caller { call, index: index as u32 };
            if let Err(refusal) = state_mut.session.submit(draft, caller, deadline_us) {
                // The call is polled again at once, so that its waker is not needed.
                let _ = state_mut.calls.answer(caller, Err(refusal));
            }
        }
        state_mut.writers(&mut writers);
        drop(state);
        writers.into_iter().for_each(Waker::wake);
    }
}

impl Future for CallFuture<'_> {
    type Output = Answers;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answers> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::New(drafts) if drafts.is_empty() => Poll::Ready(Answers::new()),
            Stage::New(drafts) => {
                self.begin(drafts, cx);
                self.poll(cx)
            }
            Stage::Waiting(call) => {
                let polled = self.shared.state.lock().calls.poll(call, cx);
                if polled.is_pending() {
                    self.stage = Stage::Waiting(call);
                }
                polled
            }
            Stage::Over => Poll::Pending,
        }
    }
}

impl Drop for CallFuture<'_> {
    fn drop(&mut self) {
        if let Stage::Waiting(call) = self.stage {
            self.shared.state.lock().calls.leave(call);
        }
    }
}
