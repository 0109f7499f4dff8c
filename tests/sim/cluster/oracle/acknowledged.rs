//! "An acknowledged write is never lost": what a client is told is what is committed, and what was added is there in the
//! end.

use std::collections::BTreeSet;

use embergrid::types::{Class, Error, Key, RequestId};

use super::{History, Verdict, ensure};
use crate::cluster::draft::{Done, What};

/// An answer to a write has reached its client. Nothing is recorded of what was refused for the moment.
pub(crate) fn told(history: &History, id: RequestId, answer: &Result<Done, Error>) -> Verdict {
    let told = match answer {
        Ok(Done { what: What::Written(outcome), .. }) => Ok(outcome),
        Ok(done) => return Err(format!("{id:?} was answered by {done:?}")),
        Err(error) if is_passing(error.class) => return Ok(()),
        Err(error) => Err(error),
    };
    let Some(committed) = history.answer(id) else {
        return Err(format!("{id:?} was answered {told:?}, and no entry says so"));
    };
    ensure(committed.as_ref().map_err(|error| &**error) == told, || {
        format!("{id:?} is answered {committed:?}, its client was told {told:?}")
    })
}

fn is_passing(class: Class) -> bool {
    matches!(class, Class::NotPrimary | Class::Overloaded | Class::Unavailable)
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
