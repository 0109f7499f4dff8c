//! One session as the SDK keeps it: requests are numbered, each is repeated under its number until it is answered for
//! good, wherever its partition's primary is by then; below the lowest unanswered number, nothing is asked again.

use std::collections::BTreeMap;

use embergrid::partition::{Op, Origin, Outcome, Request};
use embergrid::types::{Class, Error, Key, MapId, RequestId, SessionId};

/// Answers that a partition keeps for one session: numbers stay within.
pub(crate) const WINDOW: u64 = 16;
/// A refusal that says "not now" is taken for the last word after so many attempts, where it may be the recorded answer.
const ATTEMPTS: u32 = 6;
/// The pauses before another attempt.
const PAUSE_US: u64 = 3_000;
const LONGEST_PAUSE_US: u64 = 100_000;

/// What comes of an answer, or of none.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is for nobody.
    Stray,
    /// The last word.
    Final(Result<Outcome, Error>),
    /// Nobody waits any longer; what became of it is not known.
    GivenUp,
    /// To be sent again after a pause.
    Again { after_us: u64 },
}

/// One session.
pub(crate) struct Session {
    pub(crate) id: SessionId,
    /// Where replies go.
    connection: u32,
    next: u64,
    unanswered: BTreeMap<u64, Pending>,
}

struct Pending {
    request: Request,
    attempts: u32,
    give_up_us: u64,
}

impl Session {
    pub(crate) fn new(id: SessionId, connection: u32) -> Self {
        Session { id, connection, next: 1, unanswered: BTreeMap::new() }
    }

    /// The session after this one, which is over. Its numbers go on, so that what is late is for nobody.
    pub(crate) fn renewed(&self, id: SessionId) -> Self {
        Session { next: self.next, ..Session::new(id, self.connection) }
    }

    pub(crate) fn unanswered(&self) -> usize {
        self.unanswered.len()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.next < self.watermark() + WINDOW
    }

    fn watermark(&self) -> u64 {
        self.unanswered.keys().next().copied().unwrap_or(self.next)
    }

    /// Something new; its number.
    pub(crate) fn ask(&mut self, map: MapId, key: Key, op: Op, give_up_us: u64) -> u64 {
        let number = self.next;
        self.next += 1;
        let request = Request {
            origin: Origin { connection: self.connection, tag: number },
            id: Some(RequestId { session: self.id, number }),
            acknowledged_below: 0,
            map,
            key,
            op,
            deadline_us: None,
        };
        self.unanswered.insert(number, Pending { request, attempts: 0, give_up_us });
        number
    }

    /// The request as it leaves now, and which attempt this is.
    pub(crate) fn send(&mut self, number: u64) -> Option<(Request, u32)> {
        let acknowledged_below = self.watermark();
        let pending = self.unanswered.get_mut(&number)?;
        pending.attempts += 1;
        Some((Request { acknowledged_below, ..pending.request.clone() }, pending.attempts))
    }

    pub(crate) fn request(&self, number: u64) -> Option<&Request> {
        self.unanswered.get(&number).map(|pending| &pending.request)
    }

    pub(crate) fn handle_answer(
        &mut self,
        number: u64,
        answer: Result<Outcome, Error>,
        now_us: u64,
    ) -> Verdict {
        let Some(pending) = self.unanswered.get(&number) else { return Verdict::Stray };
        match &answer {
            Err(error) if is_passing(error.class, pending.attempts) => self.retry(number, now_us),
            _ => {
                self.unanswered.remove(&number);
                Verdict::Final(answer)
            }
        }
    }

    /// No answer has come to that attempt.
    pub(crate) fn handle_silence(&mut self, number: u64, attempt: u32, now_us: u64) -> Verdict {
        match self.unanswered.get(&number) {
            Some(pending) if pending.attempts == attempt => self.retry(number, now_us),
            _ => Verdict::Stray,
        }
    }

    fn retry(&mut self, number: u64, now_us: u64) -> Verdict {
        let Some(pending) = self.unanswered.get(&number) else { return Verdict::Stray };
        if pending.give_up_us <= now_us {
            self.unanswered.remove(&number);
            return Verdict::GivenUp;
        }
        let after_us = (PAUSE_US << pending.attempts.min(10)).min(LONGEST_PAUSE_US);
        Verdict::Again { after_us }
    }
}

/// Whether the same request may succeed a moment later. Where a score is missing, "overloaded" is recorded as the answer.
fn is_passing(class: Class, attempts: u32) -> bool {
    match class {
        Class::NotPrimary | Class::Unavailable => true,
        Class::Overloaded => attempts < ATTEMPTS,
        _ => false,
    }
}
