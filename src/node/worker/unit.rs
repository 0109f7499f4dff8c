//! One partition in a worker's hands.

use arc_swap::ArcSwap;

use crate::{
    feed::{self, Feed, Source},
    node::primaries::Primaries,
    partition::Core,
    types::{JoinId, NodeId, PartitionId},
};

/// One partition, and the replica of it that this node holds, if it holds one.
pub(super) struct Unit {
    pub(super) partition: PartitionId,
    pub(super) replica: Option<Replica>,
    /// Its core took an input in this tick.
    pub(super) is_touched: bool,
}

/// A replica and its subscribers.
pub(super) struct Replica {
    pub(super) join: JoinId,
    pub(super) core: Core,
    feed: Feed,
    /// Entries were committed that its feed has not seen.
    is_published: bool,
}

impl Replica {
    pub(super) fn new(join: JoinId, core: Core) -> Self {
        Replica { join, core, feed: Feed::default(), is_published: false }
    }
}

impl Unit {
    pub(super) fn empty(partition: PartitionId) -> Self {
        Unit { partition, replica: None, is_touched: false }
    }

    /// An entry was committed; true if its feed is to be served for it, and was not to be before.
    pub(super) fn publish(&mut self) -> bool {
        let Some(replica) = &mut self.replica else { return false };
        !replica.feed.is_idle() && !std::mem::replace(&mut replica.is_published, true)
    }

    /// Tells subscribers what was committed.
    pub(super) fn serve_feed(&mut self, events: &mut Vec<feed::Effect>) {
        let Some(Replica { core, feed, is_published, .. }) = &mut self.replica else { return };
        *is_published = false;
        let reader = core.reader();
        feed.advance(&Source { log: core.log(), reader: &reader, view: core.view() }, events);
    }

    /// Hands a subscriber's part to the feed. One begins only where the partition is led and the lease stands: whoever goes
    /// on from a position might be ahead of others, and be taken for somebody who missed something.
    pub(super) fn handle_feed(
        &mut self,
        input: feed::Input,
        now_us: u64,
        primaries: &ArcSwap<Primaries>,
        events: &mut Vec<feed::Effect>,
    ) {
        let refusal = match &mut self.replica {
            Some(Replica { core, feed, .. }) if core.is_serving() => {
                let reader = core.reader();
                let is_open = !matches!(input, feed::Input::Subscribe { .. });
                match reader.check(now_us) {
                    Err(no_lease) if !is_open => no_lease.into(),
                    _ => {
                        let source = Source { log: core.log(), reader: &reader, view: core.view() };
                        return feed.handle(input, &source, events);
                    }
                }
            }
            _ => Primaries::elsewhere(self.partition, primaries.load().node(self.partition)),
        };
        if let feed::Input::Subscribe { id, .. } = input {
            events.push(feed::Effect::End { to: id, error: refusal });
        }
    }

    /// Ends all subscriptions: events come from the primary alone.
    pub(super) fn close_feed(&mut self, primary: Option<NodeId>, events: &mut Vec<feed::Effect>) {
        if let Some(replica) = &mut self.replica {
            replica.feed.close(&Primaries::elsewhere(self.partition, primary), events);
        }
    }

    pub(super) fn has_subscribers(&self) -> bool {
        self.replica.as_ref().is_some_and(|replica| !replica.feed.is_idle())
    }
}
