//! Streams to subscribers: what is sent on one arrives in order, until it breaks.

use embergrid::feed::{self, SubscriberId};
use embergrid::types::{NodeId, PartitionId};

use super::super::events::{Arrival, Event, Inner, SubscriberEvent};
use super::super::host::{Message, Subscription};
use super::super::oracle::Verdict;
use super::super::subscriber::{CREDITS, Link};
use super::{Place, World};
use crate::dice::Dice;
use crate::grid;

/// Subscribers are numbered from here among those who use the cluster.
const FIRST: usize = 1_000;

impl World {
    pub(super) fn subscriber(
        &mut self,
        subscriber: usize,
        partition: PartitionId,
        event: SubscriberEvent,
    ) -> Verdict {
        match event {
            SubscriberEvent::Connect => self.connect(subscriber, partition),
            SubscriberEvent::Message(id, message) => return self.hear(subscriber, partition, id, &message),
            SubscriberEvent::Ended(id, hint) => {
                if self.is_linked(subscriber, partition, id) {
                    let node = hint.unwrap_or_else(|| self.any_founder());
                    self.subscribers[subscriber].places[usize::from(partition.0)] = node;
                    self.break_link(subscriber, partition);
                }
            }
        }
        Ok(())
    }

    fn is_linked(&mut self, subscriber: usize, partition: PartitionId, id: SubscriberId) -> bool {
        self.subscribers[subscriber].link(partition).is_some_and(|link| link.id == id)
    }

    fn connect(&mut self, subscriber: usize, partition: PartitionId) {
        if self.subscribers[subscriber].link(partition).is_some() {
            return;
        }
        let map = grid::map_id(&self.view, self.subscribers[subscriber].about.map);
        let of = &mut self.subscribers[subscriber];
        let node = of.places[usize::from(partition.0)];
        let machine = &self.machines[node.0 as usize - 1];
        let is_there =
            machine.host.is_some() && self.network.connects(node.into(), Place::Client(FIRST + subscriber));
        let Some(incarnation) = machine.incarnation().filter(|_| is_there) else {
            self.subscribers[subscriber].places[usize::from(partition.0)] = self.any_founder();
            let pause_us = self.dice.between(20_000, 100_000);
            let again = Event::Subscriber(subscriber, partition, SubscriberEvent::Connect);
            return self.after(pause_us, again);
        };
        let id = SubscriberId(self.links.len() as u64);
        self.links.insert(id, (subscriber, partition));
        let start = of.resume(partition, map, self.oracles.of(partition));
        let goes_on = matches!(start, feed::Start::After(_));
        let left = of.left[usize::from(partition.0)].filter(|left| *left != node);
        let is_drained = |node| self.control.latest().member(node).is_some_and(|member| member.draining);
        self.seen.resumed += u64::from(goes_on);
        self.seen.resumed_after_drain += u64::from(goes_on && left.is_some_and(is_drained));
        *of.link(partition) = Some(Link { id, node, incarnation, arrives_us: self.now_us });
        let subscription =
            Subscription { id, map: of.about.map, condition: of.about.condition, start, credits: CREDITS };
        let delay_us = self.network.transit_us(&mut self.dice);
        self.after(delay_us, Event::Arrives(node, Arrival::Subscriber(partition, subscription)));
        // It gives up a stream on which nothing comes for long: the node may be another by then.
        let patience_us = self.dice.between(400_000, 3_000_000);
        let ended = SubscriberEvent::Ended(id, None);
        if self.dice.percent(30) && !self.is_calm {
            self.after(patience_us, Event::Subscriber(subscriber, partition, ended));
        }
    }

    /// The stream is gone with all that is on its way; another is opened in a moment.
    pub(in crate::cluster) fn break_link(&mut self, subscriber: usize, partition: PartitionId) {
        let of = &mut self.subscribers[subscriber];
        let Some(link) = of.link(partition).take() else { return };
        of.left[usize::from(partition.0)] = Some(link.node);
        let delay_us = self.dice.below(50_000);
        let cancel = Inner::Post(Message::Cancel(partition, link.id));
        self.after(delay_us, Event::Within(link.node, link.incarnation, cancel));
        let pause_us = self.dice.between(1_000, 100_000);
        self.after(pause_us, Event::Subscriber(subscriber, partition, SubscriberEvent::Connect));
    }

    /// A node has something for a subscriber.
    pub(super) fn deliver(&mut self, node: NodeId, partition: PartitionId, effect: feed::Effect) {
        let (feed::Effect::Deliver { to: id, .. } | feed::Effect::End { to: id, .. }) = effect;
        let (subscriber, _) = self.links[&id];
        if !self.is_linked(subscriber, partition, id) {
            return;
        }
        let who = Place::Client(FIRST + subscriber);
        if self.network.is_cut(node.into(), who) || self.dice.percent(self.network.weather.lost / 2) {
            return self.break_link(subscriber, partition);
        }
        let delay_us = self.network.transit_us(&mut self.dice);
        let hint = self.machine(node).host.as_ref().and_then(|host| host.primary(partition));
        let Some(link) = self.subscribers[subscriber].link(partition) else { return };
        link.arrives_us = (self.now_us + delay_us).max(link.arrives_us + 1);
        let wait_us = link.arrives_us - self.now_us;
        let event = match effect {
            feed::Effect::Deliver { message, .. } => SubscriberEvent::Message(id, message),
            feed::Effect::End { .. } => SubscriberEvent::Ended(id, hint),
        };
        self.after(wait_us, Event::Subscriber(subscriber, partition, event));
    }

    fn hear(
        &mut self,
        subscriber: usize,
        partition: PartitionId,
        id: SubscriberId,
        message: &feed::Message,
    ) -> Verdict {
        if !self.is_linked(subscriber, partition, id) {
            return Ok(());
        }
        let of = &mut self.subscribers[subscriber];
        let about = of.about;
        let said = of.follower(partition).take(message, &about, self.oracles.of(partition));
        said.map_err(|broken| format!("partition {partition}, subscriber {subscriber}: {broken}"))?;
        if let feed::Message::Snapshot { events } | feed::Message::Changes { events, .. } = message
            && let Some(Link { node, incarnation, .. }) = *of.link(partition)
            && !events.is_empty()
        {
            // Mostly it keeps up; now and then the log moves on without it.
            let is_slow = !self.is_calm && self.dice.percent(2);
            let pause_us =
                if is_slow { self.dice.between(300_000, 1_500_000) } else { self.dice.below(2_000) };
            let credit = Inner::Post(Message::Credit(partition, id, events.len() as u32));
            self.after(pause_us, Event::Within(node, incarnation, credit));
        }
        Ok(())
    }

    /// The node is gone, and its streams with it.
    pub(in crate::cluster) fn break_links_to(&mut self, node: NodeId) {
        for subscriber in 0..self.subscribers.len() {
            for partition in (0..super::PARTITIONS).map(PartitionId) {
                if self.subscribers[subscriber].link(partition).is_some_and(|link| link.node == node) {
                    self.break_link(subscriber, partition);
                }
            }
        }
    }

    /// A client's connection breaks: all its streams do.
    pub(in crate::cluster) fn reconnect(&mut self, dice: &mut Dice) -> Option<String> {
        let subscriber = dice.below(self.subscribers.len() as u64) as usize;
        for partition in (0..super::PARTITIONS).map(PartitionId) {
            self.break_link(subscriber, partition);
        }
        Some(format!("the streams of subscriber {subscriber} break"))
    }
}
