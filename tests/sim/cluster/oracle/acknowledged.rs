//! "An acknowledged write is never lost": what a client is told is what is committed; what was added to a set is there in
//! the end, and what was removed from it is not.

use std::collections::BTreeMap;

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

/// A set, as its clients were told: every key is added once, and removed once at most.
#[derive(Default)]
pub(crate) struct Members(BTreeMap<Key, Member>);

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    /// Its addition was acknowledged, with this value.
    Added(i64),
    /// Its removal is asked for, and not answered.
    MayBeRemoved(i64),
    Removed,
    /// It was to be removed, and was not there.
    WasGone,
}

impl Members {
    /// The client was told that it is there.
    pub(crate) fn added(&mut self, key: &Key, value: i64) {
        self.0.insert(key.clone(), Member::Added(value));
    }

    /// The client asks for its removal.
    pub(crate) fn removing(&mut self, key: &Key) {
        if let Some(member) = self.0.get_mut(key)
            && let Member::Added(value) = *member
        {
            *member = Member::MayBeRemoved(value);
        }
    }

    /// The client was told that it is removed, or that there was nothing to remove.
    pub(crate) fn removed(&mut self, key: &Key, was_there: bool) {
        self.0.insert(key.clone(), if was_there { Member::Removed } else { Member::WasGone });
    }

    /// What was found in the end is what clients were told; none for a key that does not count.
    pub(crate) fn check(&self, found: impl Fn(&Key) -> Result<Option<Option<i64>>, String>) -> Verdict {
        self.0.iter().try_for_each(|(key, member)| {
            let Some(found) = found(key)? else { return Ok(()) };
            let fits = match member {
                Member::Added(value) => found == Some(*value),
                Member::MayBeRemoved(value) => found.is_none_or(|found| found == *value),
                Member::Removed => found.is_none(),
                Member::WasGone => false,
            };
            ensure(fits, || {
                format!("an acknowledged write is lost: {key:?} is {member:?}, and {found:?} in the end")
            })
        })
    }
}
