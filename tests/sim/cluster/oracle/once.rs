//! "A request takes effect at most once, however often it is retried": no history answers a request twice, and counters
//! that clients raise come to what they were told.

use std::collections::BTreeMap;

use embergrid::partition::{Answer, Answered};
use embergrid::types::{Key, RequestId, SessionId};

use super::{Verdict, ensure};

/// A client that breaks the rule of retries repeats a request under a session this much higher.
pub(crate) const ALIAS: u64 = 1_000_000;

/// A request is answered, for the first time.
pub(super) fn first_answer(answers: &mut BTreeMap<RequestId, Answer>, answered: &Answered) -> Verdict {
    let RequestId { session, number } = answered.id;
    let asked = RequestId { session: SessionId(session.0 % ALIAS), number };
    let before = answers.insert(asked, answered.answer.clone());
    ensure(before.is_none(), || format!("{asked:?} takes effect twice"))
}

/// What counters must come to.
#[derive(Default)]
pub(crate) struct Sums(BTreeMap<Key, Sum>);

#[derive(Clone, Copy, Default)]
struct Sum {
    raised: i64,
    /// Nobody knows whether it was.
    open: i64,
}

impl Sums {
    /// The counter is to be raised by one.
    pub(crate) fn asked(&mut self, key: &Key) {
        self.0.entry(key.clone()).or_default().open += 1;
    }

    /// It was, or certainly not.
    pub(crate) fn answered(&mut self, key: &Key, raised: bool) {
        let sum = self.0.entry(key.clone()).or_default();
        sum.open -= 1;
        sum.raised += i64::from(raised);
    }

    /// What the counters come to is what was found, none for one that does not count, and no row for zero.
    pub(crate) fn check(&self, found: impl Fn(&Key) -> Result<Option<Option<i64>>, String>) -> Verdict {
        self.0.iter().try_for_each(|(key, Sum { raised, open })| {
            let Some(found) = found(key)? else { return Ok(()) };
            let found = found.unwrap_or(0);
            ensure((*raised..=raised + open).contains(&found), || {
                format!("the counter {key:?} was raised {raised} times, or {open} more, and is {found}")
            })
        })
    }
}
