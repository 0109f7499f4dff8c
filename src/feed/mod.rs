//! PURE: subscriptions over committed entries (protocol rule 26).
//!
//! A subscriber reads the partition's log at its own pace: it holds a place in the log and credits, and nothing is
//! buffered for it. While it keeps up, entries reach it in the tick that committed them; when it is slow, the log
//! is its buffer; when the log has moved past its place, it is told of the overrun and starts from a fresh
//! snapshot.
//!
//! A snapshot is scanned one shard at a time, each between two entries, so that the feed knows for every shard
//! the seq at which it was scanned. Changes that came in meanwhile follow each shard, but for those that its scan
//! already showed; then the marker; from there on every change, once, in order.
//!
//! Architecture invariants:
//! - A message about changes covers a range `(after, upto]` that begins where the last one ended, so a filtered
//!   stream proves that it has no gap.
//! - `added` and `removed` mean entering and leaving the predicate, whatever happened to the row.
//! - Nothing is kept for a subscriber but the rows of one scanned shard.

mod event;
mod filter;
mod reading;
mod scan;
mod subscriber;
#[cfg(test)]
mod tests;
mod token;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use event::{Event, EventKind, Message};
pub use filter::Filter;
pub use token::{MAX_TOKEN_BYTES, Token, TokenKey};

use crate::{
    partition::{Log, View},
    store::Reader,
    types::{Error, Position},
};
use subscriber::Subscriber;

/// Names a subscription on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriberId(pub u64);

/// Where a subscription begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// With the rows as they are.
    Snapshot,
    /// With the next change.
    Now,
    /// With the change after this position.
    After(Position),
}

/// What a feed is asked to do.
#[derive(Debug)]
pub enum Input {
    /// A subscription begins.
    Subscribe {
        /// Its name.
        id: SubscriberId,
        /// Which rows it is about.
        filter: Filter,
        /// Where it begins.
        start: Start,
        /// How many events it can take.
        credits: u32,
    },
    /// A subscriber can take more.
    Credit {
        /// Its name.
        id: SubscriberId,
        /// How many events more.
        events: u32,
    },
    /// A subscription ends.
    Cancel {
        /// Its name.
        id: SubscriberId,
    },
    /// Time to tell idle subscribers how far they are.
    Bookmark,
}

/// What the feed wants done.
#[derive(Debug)]
pub enum Effect {
    /// Something for a subscriber.
    Deliver {
        /// Whom.
        to: SubscriberId,
        /// What.
        message: Message,
    },
    /// The subscription is over.
    End {
        /// Whose.
        to: SubscriberId,
        /// Why.
        error: Error,
    },
}

/// What a feed reads: the committed entries and rows of its partition.
pub struct Source<'a> {
    /// Entries from the retention's floor on.
    pub log: &'a Log,
    /// Rows as of the last entry.
    pub reader: &'a Reader,
    /// The catalogue that reads them: at least that of the last entry, or nothing is read.
    pub view: &'a View,
}

impl Source<'_> {
    /// A node may hear of entries before it hears of the catalogue under which they were written.
    fn is_readable(&self) -> bool {
        self.view.version >= self.log.catalogue().version
    }
}

/// The subscriptions of one partition.
#[derive(Debug, Default)]
pub struct Feed {
    subscribers: BTreeMap<SubscriberId, Subscriber>,
}

impl Feed {
    /// Takes one input.
    pub fn handle(&mut self, input: Input, source: &Source<'_>, effects: &mut Vec<Effect>) {
        match input {
            Input::Subscribe { id, mut filter, start, credits } => {
                if let Err(error) = filter.catch_up(source) {
                    effects.push(Effect::End { to: id, error });
                    return;
                }
                if start == Start::Now {
                    // Who begins here can only resume if it knows where here is.
                    let (after, upto) = (source.log.last(), source.log.last());
                    let message = Message::Changes { after, upto, events: Vec::new() };
                    effects.push(Effect::Deliver { to: id, message });
                }
                self.subscribers.insert(id, Subscriber::new(filter, start, credits, source));
                self.serve(id, source, effects);
            }
            Input::Credit { id, events } => {
                if let Some(subscriber) = self.subscribers.get_mut(&id) {
                    subscriber.credit(events);
                    self.serve(id, source, effects);
                }
            }
            Input::Cancel { id } => {
                self.subscribers.remove(&id);
            }
            Input::Bookmark => {
                // What a new primary commits before it serves cannot be read yet, and nothing later may tell of it.
                self.advance(source, effects);
                for (id, subscriber) in &mut self.subscribers {
                    let bookmark = subscriber.bookmark();
                    effects.extend(bookmark.map(|message| Effect::Deliver { to: *id, message }));
                }
            }
        }
    }

    /// Entries were committed: everybody who waits for them is served.
    pub fn advance(&mut self, source: &Source<'_>, effects: &mut Vec<Effect>) {
        self.subscribers.retain(|id, subscriber| keep(*id, subscriber.serve(source), effects));
    }

    /// Ends every subscription.
    pub fn close(&mut self, error: &Error, effects: &mut Vec<Effect>) {
        let ended = std::mem::take(&mut self.subscribers).into_keys();
        effects.extend(ended.map(|to| Effect::End { to, error: error.clone() }));
    }

    /// Whether nobody listens.
    pub fn is_idle(&self) -> bool {
        self.subscribers.is_empty()
    }

    fn serve(&mut self, id: SubscriberId, source: &Source<'_>, effects: &mut Vec<Effect>) {
        let Some(subscriber) = self.subscribers.get_mut(&id) else { return };
        if !keep(id, subscriber.serve(source), effects) {
            self.subscribers.remove(&id);
        }
    }
}

/// Passes on what a subscriber is served; false if it is over.
fn keep(id: SubscriberId, served: subscriber::Served, effects: &mut Vec<Effect>) -> bool {
    let subscriber::Served { messages, end } = served;
    effects.extend(messages.into_iter().map(|message| Effect::Deliver { to: id, message }));
    let goes_on = end.is_none();
    effects.extend(end.map(|error| Effect::End { to: id, error }));
    goes_on
}
