//! One partition in a node's hands.

use std::collections::BTreeMap;

use embergrid::feed::{self, Feed, Filter, Source, Start, SubscriberId};
use embergrid::partition::{Core, View};
use embergrid::types::{JoinId, NodeId, PartitionId, Position};

use super::{Out, Subscription, elsewhere};

/// One partition, and the replica of it that the node holds, if it holds one.
pub(super) struct Unit {
    pub(super) partition: PartitionId,
    pub(super) replica: Option<Replica>,
    pub(super) is_touched: bool,
    pub(super) due_us: Option<u64>,
    pub(super) overruns: u64,
}

/// A replica and its subscribers.
pub(super) struct Replica {
    pub(super) join: JoinId,
    pub(super) core: Core,
    feed: Feed,
    is_published: bool,
    /// Up to where each subscriber has been told; none while it is given a snapshot.
    places: BTreeMap<SubscriberId, Option<Position>>,
}

impl Replica {
    pub(super) fn new(join: JoinId, core: Core) -> Self {
        Replica { join, core, feed: Feed::default(), is_published: false, places: BTreeMap::new() }
    }
}

impl Unit {
    pub(super) fn empty(partition: PartitionId) -> Self {
        Unit { partition, replica: None, is_touched: false, due_us: None, overruns: 0 }
    }

    /// An entry was committed; true if its feed is to be served for it, and was not to be before.
    pub(super) fn publish(&mut self) -> bool {
        let Some(replica) = &mut self.replica else { return false };
        !replica.feed.is_idle() && !std::mem::replace(&mut replica.is_published, true)
    }

    /// Tells subscribers what was committed.
    pub(super) fn serve_feed(&mut self, out: &mut Vec<Out>) {
        let Some(replica) = &mut self.replica else { return };
        replica.is_published = false;
        let mut effects = Vec::new();
        let reader = replica.core.reader();
        let core = &replica.core;
        replica.feed.advance(&Source { log: core.log(), reader: &reader, view: core.view() }, &mut effects);
        self.tell(effects, out);
    }

    pub(super) fn subscribe(
        &mut self,
        subscription: Subscription,
        view: &View,
        now_us: u64,
        primary: Option<NodeId>,
        out: &mut Vec<Out>,
    ) {
        let Subscription { id, map, condition, start, credits } = subscription;
        let map = view.maps.values().find(|view| view.map.name == map);
        let is_here = self.replica.as_ref().is_some_and(|replica| is_fed(&replica.core, now_us));
        let Some(map) = map.filter(|_| is_here) else {
            let effect = feed::Effect::End { to: id, error: elsewhere(self.partition, primary) };
            return out.push(Out::Feed { partition: self.partition, effect });
        };
        let filter = Filter::compile(&map.map, condition).unwrap();
        if let Some(replica) = &mut self.replica {
            let place = match start {
                Start::After(place) => Some(place),
                Start::Snapshot | Start::Now => None,
            };
            replica.places.insert(id, place);
        }
        self.feed(feed::Input::Subscribe { id, filter, start, credits }, out);
    }

    pub(super) fn feed(&mut self, input: feed::Input, out: &mut Vec<Out>) {
        let Some(replica) = &mut self.replica else { return };
        let mut effects = Vec::new();
        let reader = replica.core.reader();
        let core = &replica.core;
        replica.feed.handle(
            input,
            &Source { log: core.log(), reader: &reader, view: core.view() },
            &mut effects,
        );
        self.tell(effects, out);
    }

    pub(super) fn bookmark(&mut self, out: &mut Vec<Out>) {
        if self.replica.as_ref().is_some_and(|replica| !replica.feed.is_idle()) {
            self.feed(feed::Input::Bookmark, out);
        }
    }

    /// Ends all subscriptions: events come from the primary alone.
    pub(super) fn close_feed(&mut self, primary: Option<NodeId>, out: &mut Vec<Out>) {
        let Some(replica) = &mut self.replica else { return };
        let mut effects = Vec::new();
        replica.feed.close(&elsewhere(self.partition, primary), &mut effects);
        self.tell(effects, out);
    }

    fn tell(&mut self, effects: Vec<feed::Effect>, out: &mut Vec<Out>) {
        let Some(replica) = &mut self.replica else { return };
        for effect in effects {
            match &effect {
                feed::Effect::Deliver { to, message: feed::Message::Overrun } => {
                    self.overruns += 1;
                    let place = replica.places.insert(*to, None).flatten();
                    if let Some(place) = place.filter(|place| is_kept(&replica.core, *place)) {
                        let (log, end) = (replica.core.log(), replica.core.end());
                        let why = format!("at {place}; kept is {} to {}, and {end}", log.floor(), log.last());
                        out.push(Out::Needless { partition: self.partition, id: *to, why });
                    }
                }
                feed::Effect::Deliver { to, message: feed::Message::Changes { upto, .. } } => {
                    replica.places.insert(*to, Some(*upto));
                }
                feed::Effect::Deliver { to, message: feed::Message::SnapshotEnd { at } } => {
                    replica.places.insert(*to, Some(*at));
                }
                feed::Effect::Deliver { .. } => {}
                feed::Effect::End { to, .. } => drop(replica.places.remove(to)),
            }
            out.push(Out::Feed { partition: self.partition, effect });
        }
    }
}

/// Whether subscribers may begin here: elsewhere, more may be committed already.
fn is_fed(core: &Core, now_us: u64) -> bool {
    core.is_serving() && core.reader().check(now_us).is_ok()
}

/// Whether everything after a place is in the log of a replica, committed or to be.
fn is_kept(core: &Core, place: Position) -> bool {
    place.generation == core.configuration().generation && place.seq >= core.log().floor().seq
}
