//! "An acknowledged write is never lost": what a client is told is what is committed, and what was added is there in the
//! end.

use std::collections::BTreeSet;

use embergrid::partition::Outcome;
use embergrid::types::{Class, Error, Key, RequestId};

use super::{History, Verdict, ensure};

/// An answer has reached its client.
pub(crate) fn told(history: &History, id: RequestId, answer: &Result<Outcome, Error>) -> Verdict {
    let refusal = answer.as_ref().err().map(|error| error.class);
    let Some(committed) = history.answer(id) else {
        // Nothing is recorded of what was not admitted.
        let is_untouched = matches!(refusal, Some(Class::Overloaded));
        return ensure(is_untouched, || format!("{id:?} was answered {answer:?}, and no entry says so"));
    };
    let same = committed.as_ref().map_err(|error| &**error) == answer.as_ref();
    // A refusal may have been on its way while another copy was admitted.
    ensure(same || refusal == Some(Class::Overloaded), || {
        format!("{id:?} is answered {committed:?}, its client was told {answer:?}")
    })
}

/// Keys that were added once, and are never removed.
#[derive(Default)]
pub(crate) struct Members(BTreeSet<Key>);

impl Members {
    /// The client was told that it is there.
    pub(crate) fn added(&mut self, key: &Key) {
        self.0.insert(key.clone());
    }

    /// All are there.
    pub(crate) fn check(&self, is_there: impl Fn(&Key) -> Result<bool, String>) -> Verdict {
        self.0.iter().try_for_each(|key| {
            ensure(is_there(key)?, || format!("the row {key:?} was acknowledged, and is lost"))
        })
    }
}
