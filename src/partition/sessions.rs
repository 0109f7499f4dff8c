//! Answers kept for retries.
//!
//! A session numbers its requests over all partitions; each partition keeps the answers of those it has seen. The
//! session says below which number it will not ask again, and that travels in the entries: below it an answer is
//! dropped, and a request refused, for it may have been executed.
//!
//! Answers kept here are committed. What is under way at the primary is noted beside them and forgotten with the
//! primary's tenure: an entry that is truncated leaves no answer behind.

mod copy;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(super) use copy::Cursor;
pub use copy::SessionCopy;

use super::{Answer, Answered, Limits, identity::ByNumber, slots::OpId};
use crate::{
    mutant::Mutant,
    store::Record,
    types::{Error, RequestId, Seq, SessionId},
};

/// How many ended sessions are remembered, so that a request that comes late is not executed.
const ENDED: usize = 4_096;

/// What is known of a request.
#[derive(Debug)]
pub(super) enum Known<'a> {
    /// Nothing: it is to be executed.
    New,
    /// It is under way.
    UnderWay(OpId),
    /// It is answered by a prepared entry.
    Prepared(Seq),
    /// It was answered by a committed entry.
    Answered(&'a Answer),
    /// It may have been executed; its answer is gone.
    Forgotten,
}

#[derive(Debug)]
pub(super) struct Sessions {
    open: ByNumber<SessionId, Session>,
    ended: BTreeSet<SessionId>,
    /// Those of which the node has heard that they are over, and no entry has said so yet.
    leaving: BTreeSet<SessionId>,
    /// Of all answers.
    bytes: usize,
    max_sessions: usize,
    max_answers: usize,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct Session {
    /// Requests below it are not asked again.
    floor: u64,
    /// By number, ascending.
    answers: VecDeque<Kept>,
    bytes: usize,
    under_way: BTreeMap<u64, UnderWay>,
}

/// How far a request has come that is not answered.
#[derive(Clone, Copy, Debug)]
enum UnderWay {
    Operation(OpId),
    Prepared(Seq),
}

#[derive(Clone, Debug)]
struct Kept {
    number: u64,
    answer: Answer,
}

impl Kept {
    fn size(&self) -> usize {
        let answer = match &self.answer {
            Ok(outcome) => [&outcome.old, &outcome.record].into_iter().flatten().map(Record::size).sum(),
            Err(error) => error.message.len() + error.hint.as_ref().map_or(0, |hint| hint.len()),
        };
        size_of::<Kept>() + answer
    }
}

impl Sessions {
    pub(super) fn new(limits: &Limits) -> Self {
        Sessions {
            open: ByNumber::default(),
            ended: BTreeSet::new(),
            leaving: BTreeSet::new(),
            bytes: 0,
            max_sessions: limits.sessions,
            max_answers: limits.session_answers,
            max_bytes: limits.session_bytes,
        }
    }

    /// What is known of a request.
    pub(super) fn find(&self, id: RequestId) -> Known<'_> {
        let Some(session) = self.open.get(&id.session) else {
            return if self.ended.contains(&id.session) { Known::Forgotten } else { Known::New };
        };
        if id.number < session.floor {
            return Known::Forgotten;
        }
        match session.under_way.get(&id.number).filter(|_| !Mutant::ForgetsUnderWay.is_on()) {
            Some(UnderWay::Operation(op)) => return Known::UnderWay(*op),
            Some(UnderWay::Prepared(seq)) => return Known::Prepared(*seq),
            None => {}
        }
        match session.position(id.number) {
            Ok(at) => Known::Answered(&session.answers[at].answer),
            Err(_) => Known::New,
        }
    }

    /// Refuses a new request whose answer there is no room to keep. What the session says it will not ask again
    /// counts as gone.
    pub(super) fn check(&self, id: RequestId, acknowledged_below: u64) -> Result<(), Error> {
        let Some(session) = self.open.get(&id.session) else {
            return if self.open.len() < self.max_sessions { Ok(()) } else { Err(too_many_sessions()) };
        };
        if session.answers.len() + session.under_way.len() < self.max_answers
            && session.bytes < self.max_bytes
        {
            return Ok(());
        }
        let kept = session.answers.partition_point(|kept| kept.number < acknowledged_below);
        let bytes: usize = session.answers.range(kept..).map(Kept::size).sum();
        let answers = session.answers.len() - kept + session.under_way.len();
        if answers < self.max_answers && bytes < self.max_bytes {
            return Ok(());
        }
        Err(Error::overloaded(format!(
            "session {} has {answers} requests without acknowledged answers",
            id.session
        ))
        .hint("acknowledge answers before sending more"))
    }

    /// The request is under way.
    pub(super) fn start(&mut self, id: RequestId, op: OpId) {
        self.note(id, UnderWay::Operation(op));
    }

    /// The request is answered by the prepared entry at `seq`.
    pub(super) fn prepare(&mut self, id: RequestId, seq: Seq) {
        self.note(id, UnderWay::Prepared(seq));
    }

    fn note(&mut self, id: RequestId, under_way: UnderWay) {
        if !self.ended.contains(&id.session) {
            self.open.entry(id.session).or_default().under_way.insert(id.number, under_way);
        }
    }

    /// The request is under way no longer, and leaves nothing behind.
    pub(super) fn release(&mut self, id: RequestId) {
        let Some(session) = self.open.get_mut(&id.session) else { return };
        session.under_way.remove(&id.number);
        if session.under_way.is_empty() && !session.is_remembered() {
            self.open.remove(&id.session);
        }
    }

    /// Nothing is under way any more.
    pub(super) fn abandon(&mut self) {
        self.open.retain(|_, session| {
            session.under_way.clear();
            session.is_remembered()
        });
    }

    /// The request is answered by a committed entry.
    pub(super) fn answer(&mut self, answered: &Answered) {
        if self.ended.contains(&answered.id.session) {
            return;
        }
        let session = self.open.entry(answered.id.session).or_default();
        if !session.under_way.is_empty() {
            session.under_way.remove(&answered.id.number);
        }
        let before = session.bytes;
        session.acknowledge_below(answered.acknowledged_below);
        session.keep(Kept { number: answered.id.number, answer: answered.answer.clone() });
        self.bytes = self.bytes - before + session.bytes;
    }

    /// The session is over; an entry is to say so as soon as one can.
    pub(super) fn leave(&mut self, session: SessionId) {
        if !self.ended.contains(&session) {
            remember(&mut self.leaving, session);
        }
    }

    /// The sessions that an entry is to end.
    pub(super) fn leaving(&self) -> Vec<SessionId> {
        self.leaving.iter().copied().collect()
    }

    /// Forgets everything but what the node has said.
    pub(super) fn reset(&mut self, limits: &Limits) {
        let leaving = std::mem::take(&mut self.leaving);
        *self = Sessions { leaving, ..Sessions::new(limits) };
    }

    /// The session is over.
    pub(super) fn end(&mut self, session: SessionId) {
        self.leaving.remove(&session);
        self.bytes -= self.open.remove(&session).map_or(0, |session| session.bytes);
        remember(&mut self.ended, session);
    }

    /// The bytes of the answers kept, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many answers are kept.
    #[cfg(test)]
    pub(super) fn kept(&self, session: SessionId) -> usize {
        self.open.get(&session).map_or(0, |session| session.answers.len())
    }
}

impl Session {
    fn position(&self, number: u64) -> Result<usize, usize> {
        // Requests come almost in order: look at the end first.
        match self.answers.back() {
            Some(last) if last.number >= number => {
                self.answers.binary_search_by_key(&number, |kept| kept.number)
            }
            _ => Err(self.answers.len()),
        }
    }

    /// Whether it is to be kept although nothing is under way.
    fn is_remembered(&self) -> bool {
        self.floor > 0 || !self.answers.is_empty()
    }

    fn acknowledge_below(&mut self, floor: u64) {
        let floor = if Mutant::DropsAnswersEarly.is_on() { floor + 1 } else { floor };
        if floor <= self.floor {
            return;
        }
        if !Mutant::ForgetsWatermark.is_on() {
            self.floor = floor;
        }
        while self.answers.front().is_some_and(|kept| kept.number < floor) {
            self.bytes -= self.answers.pop_front().map_or(0, |kept| kept.size());
        }
    }

    fn keep(&mut self, kept: Kept) {
        if kept.number < self.floor {
            return;
        }
        if let Err(at) = self.position(kept.number) {
            self.bytes += kept.size();
            if at == self.answers.len() {
                self.answers.push_back(kept)
            } else {
                self.answers.insert(at, kept)
            }
        }
    }
}

/// The newest are kept.
fn remember(sessions: &mut BTreeSet<SessionId>, session: SessionId) {
    sessions.insert(session);
    if sessions.len() > ENDED {
        sessions.pop_first();
    }
}

fn too_many_sessions() -> Error {
    Error::overloaded("the partition keeps answers for as many sessions as it may")
        .hint("retry after a pause")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::Outcome;

    fn sessions(answers: usize, bytes: usize) -> Sessions {
        Sessions::new(&Limits {
            session_answers: answers,
            session_bytes: bytes,
            sessions: 2,
            ..Limits::default()
        })
    }

    fn id(number: u64) -> RequestId {
        RequestId { session: SessionId(1), number }
    }

    fn answered(number: u64, acknowledged_below: u64) -> Answered {
        Answered { id: id(number), acknowledged_below, answer: Ok(Outcome::default()) }
    }

    fn known(sessions: &Sessions, number: u64) -> String {
        match sessions.find(id(number)) {
            Known::New => "new".into(),
            Known::UnderWay(op) => format!("under way {}", op.0),
            Known::Prepared(seq) => format!("prepared {seq}"),
            Known::Answered(_) => "answered".into(),
            Known::Forgotten => "forgotten".into(),
        }
    }

    #[test]
    fn answers_come_in_any_order() {
        let mut sessions = sessions(9, 1 << 20);
        for number in [5, 9, 7, 4] {
            sessions.answer(&answered(number, 0));
        }
        let all: Vec<_> = (3..=10).map(|number| known(&sessions, number)).collect();
        assert_eq!(all, ["new", "answered", "answered", "new", "answered", "new", "answered", "new"]);
    }

    #[test]
    fn below_the_watermark_nothing_is_executed() {
        let mut sessions = sessions(9, 1 << 20);
        for number in 1..=4 {
            sessions.answer(&answered(number, 0));
        }
        sessions.answer(&answered(9, 4));
        assert_eq!(
            [1, 3, 4, 5].map(|number| known(&sessions, number)),
            ["forgotten", "forgotten", "answered", "new"]
        );
        assert_eq!(sessions.kept(SessionId(1)), 2);
        sessions.answer(&answered(10, 1));
        assert_eq!(known(&sessions, 3), "forgotten", "a watermark never goes back");
    }

    #[test]
    fn what_is_under_way_is_known_until_it_is_answered() {
        let mut sessions = sessions(9, 1 << 20);
        sessions.start(id(1), OpId(77));
        assert_eq!(known(&sessions, 1), "under way 77");
        sessions.prepare(id(1), Seq(3));
        assert_eq!(known(&sessions, 1), "prepared 3");
        sessions.answer(&answered(1, 0));
        assert_eq!(known(&sessions, 1), "answered");
    }

    #[test]
    fn what_is_abandoned_was_never_asked() {
        let mut sessions = sessions(9, 1 << 20);
        sessions.answer(&answered(1, 0));
        sessions.start(id(2), OpId(77));
        sessions.prepare(id(3), Seq(3));
        sessions.start(RequestId { session: SessionId(2), number: 1 }, OpId(78));
        sessions.abandon();
        assert_eq!([1, 2, 3].map(|number| known(&sessions, number)), ["answered", "new", "new"]);
        assert_eq!(sessions.open.len(), 1);
    }

    #[test]
    fn a_full_session_is_overloaded_until_it_acknowledges() {
        let mut sessions = sessions(3, 1 << 20);
        sessions.answer(&answered(1, 0));
        sessions.answer(&answered(2, 0));
        assert_eq!(sessions.check(id(3), 0), Ok(()));
        sessions.start(id(3), OpId(1));
        let refusal = sessions.check(id(4), 0).unwrap_err();
        assert_eq!(refusal.class, crate::types::Class::Overloaded);
        assert_eq!(sessions.check(id(4), 2), Ok(()));
        let mut sessions = self::sessions(99, 100);
        sessions.answer(&answered(1, 0));
        sessions.answer(&answered(2, 0));
        sessions.answer(&answered(3, 0));
        assert!(sessions.check(id(4), 0).is_err());
        assert_eq!(sessions.check(id(4), 3), Ok(()));
    }

    #[test]
    fn sessions_are_counted_and_an_ended_one_stays_ended() {
        let mut sessions = sessions(9, 1 << 20);
        sessions.answer(&answered(1, 0));
        let of = |session| RequestId { session: SessionId(session), number: 1 };
        sessions.answer(&Answered { id: of(2), ..answered(1, 0) });
        assert!(sessions.check(of(3), 0).is_err());
        sessions.end(SessionId(1));
        assert_eq!(sessions.check(of(3), 0), Ok(()));
        assert_eq!(known(&sessions, 1), "forgotten");
        assert_eq!(known(&sessions, 2), "forgotten");
        sessions.end(SessionId(2));
        assert_eq!(sessions.bytes(), 0);
    }
}
