//! Answers on their way to a learner.

use serde::{Deserialize, Serialize};

use crate::{mutant::Mutant, partition::Answer, types::SessionId};

use super::{Kept, Sessions};

/// What is kept for one session, or a part of it. Parts are added up, in any order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionCopy {
    /// The session.
    pub session: SessionId,
    /// Requests below it are not asked again.
    pub floor: u64,
    /// By number.
    pub answers: Vec<(u64, Answer)>,
}

/// Where copying goes on: which sessions are left, last one first, and from which number of it.
#[derive(Clone, Debug)]
pub(in crate::partition) struct Cursor {
    left: Vec<SessionId>,
    number: u64,
}

impl Sessions {
    /// The sessions that are over.
    pub(in crate::partition) fn ended(&self) -> Vec<SessionId> {
        self.ended.iter().copied().collect()
    }

    /// Begins to copy all open sessions.
    pub(in crate::partition) fn copy(&self) -> Cursor {
        let mut left: Vec<SessionId> = self.open.keys().copied().collect();
        left.sort_unstable_by(|a, b| b.cmp(a));
        Cursor { left, number: 0 }
    }

    /// The next copies, of about so many bytes; none when all are made.
    pub(in crate::partition) fn copy_next(&self, cursor: &mut Cursor, bytes: usize) -> Vec<SessionCopy> {
        let (mut copies, mut taken) = (Vec::new(), 0);
        while taken < bytes
            && let Some(id) = cursor.left.last().copied()
        {
            let Some(session) = self.open.get(&id) else {
                cursor.left.pop();
                cursor.number = 0;
                continue;
            };
            let mut copy = SessionCopy { session: id, floor: session.floor, answers: Vec::new() };
            taken += size_of::<SessionCopy>();
            let first = session.answers.partition_point(|kept| kept.number < cursor.number);
            for kept in session.answers.range(first..) {
                if taken >= bytes && !copy.answers.is_empty() {
                    break;
                }
                taken += kept.size();
                cursor.number = kept.number.saturating_add(1);
                copy.answers.push((kept.number, kept.answer.clone()));
            }
            if first + copy.answers.len() == session.answers.len() {
                cursor.left.pop();
                cursor.number = 0;
            }
            copies.push(copy);
        }
        copies
    }

    /// Takes over what another replica keeps.
    pub(in crate::partition) fn merge(&mut self, copy: SessionCopy) {
        if self.ended.contains(&copy.session) {
            return;
        }
        let session = self.open.entry(copy.session).or_default();
        let before = session.bytes;
        if !Mutant::CopyLacksWatermarks.is_on() {
            session.acknowledge_below(copy.floor);
        }
        copy.answers.into_iter().for_each(|(number, answer)| session.keep(Kept { number, answer }));
        self.bytes = self.bytes - before + session.bytes;
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        partition::{Answered, Limits, Outcome, sessions::Sessions},
        types::{RequestId, SessionId},
    };

    #[test]
    fn a_copy_in_parts_is_the_same() {
        let mut of = Sessions::new(&Limits::default());
        for (session, count) in [(1, 3), (2, 9), (3, 1)] {
            for number in 1..=count {
                let id = RequestId { session: SessionId(session), number };
                of.answer(&Answered { id, acknowledged_below: 2, answer: Ok(Outcome::default()) });
            }
        }
        of.end(SessionId(3));
        let mut copy = Sessions::new(&Limits::default());
        of.ended().into_iter().for_each(|session| copy.end(session));
        let (mut cursor, mut parts) = (of.copy(), 0);
        loop {
            let next = of.copy_next(&mut cursor, 200);
            if next.is_empty() {
                break;
            }
            parts += 1;
            next.iter().chain(&next).cloned().for_each(|part| copy.merge(part));
        }
        assert!(parts > 2, "{parts}");
        assert_eq!(copy.bytes(), of.bytes());
        assert_eq!(copy.ended(), of.ended());
        assert_eq!([1, 2].map(|id| copy.kept(SessionId(id))), [2, 8]);
    }
}
