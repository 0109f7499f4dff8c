//! Subscriptions over all partitions: rows, then every change, from wherever the primaries are.
//!
//! - [`queue`]: what arrives for a subscriber, and the subscribers of this node;
//! - [`parts`]: how far a subscription is in each partition, and where that part comes from;
//! - [`remote`]: the calls by which nodes read each other's feeds;
//! - [`pump`]: reads the feeds of one other node for one subscription;
//! - [`lent`]: subscriptions of other nodes, as the node sees them that has the primaries.
//!
//! A part whose source ends (the primary moved, its node is gone) is opened again at the present primary, after the
//! position that was told last: the subscriber notices nothing but a pause.

mod lent;
mod parts;
mod pump;
mod queue;
mod remote;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::sleep;

pub(super) use self::{lent::expire_lent, queue::Subscribers, remote::answer};

use self::{
    parts::{Part, Source},
    pump::Pump,
    queue::{Item, Queue},
    remote::{Opening, What},
};
use super::{primaries::Primaries, shared::Shared, worker::Message};
use crate::{
    feed::{self, Event, Start, SubscriberId, Token, TokenKey},
    types::{Class, Error, NodeId, PartitionId, Position, Result},
};

/// How long to wait before a part is opened again whose source ended.
const PAUSE: Duration = Duration::from_millis(20);

/// What a subscriber is told next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A row of the snapshot, or a change.
    Event {
        /// The partition it belongs to.
        partition: PartitionId,
        /// What happened.
        event: Event,
        /// Resumes after this event; none until the snapshot is complete.
        token: Option<String>,
    },
    /// The snapshot is complete in every partition.
    SnapshotEnd {
        /// Resumes here.
        token: String,
    },
    /// Nothing of interest happened up to here.
    Bookmark {
        /// Resumes here.
        token: String,
    },
    /// Changes of this partition were missed, or its snapshot begins anew; a snapshot of it follows.
    Overrun {
        /// Which.
        partition: PartitionId,
    },
}

/// What a subscription is to.
pub(super) struct Target {
    pub(super) filter: feed::Filter,
    pub(super) condition: Option<String>,
    pub(super) filter_hash: u64,
    pub(super) start: Vec<Start>,
}

/// A continuous query: rows, then every change, of all partitions. Ends when dropped.
pub struct Subscription {
    id: SubscriberId,
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    filter: feed::Filter,
    condition: Option<String>,
    credits: u32,
    token: Token,
    key: TokenKey,
    /// By partition.
    parts: Vec<Part>,
    /// Parts that have no source at present.
    closed: Vec<PartitionId>,
    pumps: HashMap<NodeId, Pump>,
}

impl Subscription {
    pub(super) fn open(shared: &Arc<Shared>, target: Target, credits: u32) -> Subscription {
        let (id, queue) = shared.subscribers.add();
        let position = |start: &Start| match start {
            Start::After(position) => *position,
            Start::Snapshot | Start::Now => Position::default(),
        };
        let token = Token {
            cluster: shared.cluster,
            map: target.filter.map(),
            filter: target.filter_hash,
            positions: target.start.iter().map(position).collect(),
        };
        let mut subscription = Subscription {
            id,
            shared: shared.clone(),
            queue,
            filter: target.filter,
            condition: target.condition,
            credits,
            token,
            key: shared.token_key.clone(),
            closed: (0..target.start.len() as u16).map(PartitionId).collect(),
            parts: target.start.into_iter().map(Part::new).collect(),
            pumps: HashMap::new(),
        };
        // What fails here fails again in `next`.
        let _ = subscription.open_parts();
        subscription
    }

    /// What comes next; waits for it. An error is the last that comes. Cancel-safe.
    pub async fn next(&mut self) -> Result<Vec<Notice>> {
        loop {
            while let Some((partition, item)) = self.queue.pop() {
                let notices = match item {
                    Item::Message(message) => self.notices(partition, message)?,
                    Item::End(error) => self.source_ended(partition, error)?,
                };
                if !notices.is_empty() {
                    return Ok(notices);
                }
            }
            self.open_parts()?;
            tokio::select! {
                () = self.queue.arrived() => {}
                () = sleep(PAUSE), if !self.closed.is_empty() => {}
            }
        }
    }

    /// Opens the parts that have no source and whose time has come.
    fn open_parts(&mut self) -> Result<()> {
        let now_us = self.shared.clock.mono_us();
        let mut later = Vec::new();
        for partition in std::mem::take(&mut self.closed) {
            let part = &self.parts[usize::from(partition.0)];
            if part.is_due(now_us) { self.open_part(partition)? } else { later.push(partition) }
        }
        self.closed = later;
        Ok(())
    }

    fn open_part(&mut self, partition: PartitionId) -> Result<()> {
        let Some(node) = self.shared.primaries.load().node(partition) else {
            return Err(Primaries::elsewhere(partition, None));
        };
        let part = &mut self.parts[usize::from(partition.0)];
        let start = part.start(self.token.positions[usize::from(partition.0)]);
        if node == self.shared.me {
            part.opened(Source::Here);
            let (id, filter, credits) = (self.id, self.filter.clone(), self.credits);
            let subscribe = feed::Input::Subscribe { id, filter, start, credits };
            self.shared.post(partition, Message::Feed(partition, subscribe));
            return Ok(());
        }
        part.opened(Source::There(node));
        let opening = Opening { partition, start, credits: self.credits };
        let pump = self.pumps.remove(&node).filter(|pump| pump.open(opening));
        let pump = pump.unwrap_or_else(|| {
            let pump = Pump::start(&self.shared, node, self.reading(), self.queue.clone());
            // A pump that was just started takes what it is given, or ends the part.
            pump.open(opening);
            pump
        });
        self.pumps.insert(node, pump);
        Ok(())
    }

    /// Another reading of what the subscription is to. Each has a number of its own: what an earlier one has left at the
    /// other node, unread, must not come up among what its successor is told.
    fn reading(&self) -> What {
        let (map, condition) = (self.filter.map(), self.condition.clone());
        What { subscriber: self.shared.subscribers.number().0, map, condition }
    }

    /// A part has no source any more. What passes is waited for; the rest ends the subscription.
    fn source_ended(&mut self, partition: PartitionId, error: Error) -> Result<Vec<Notice>> {
        if !matches!(error.class, Class::NotPrimary | Class::Unavailable | Class::Deadline) {
            return Err(error);
        }
        let again_us = self.shared.clock.mono_us() + PAUSE.as_micros() as u64;
        let is_anew = self.parts[usize::from(partition.0)].ended(again_us);
        self.closed.push(partition);
        Ok(if is_anew { vec![Notice::Overrun { partition }] } else { Vec::new() })
    }

    /// Where the subscription stands, once its snapshot is complete.
    fn token(&self) -> Option<String> {
        let complete = self.parts.iter().all(Part::is_filled);
        complete.then(|| self.token.encode(&self.key))
    }

    fn notices(&mut self, partition: PartitionId, message: feed::Message) -> Result<Vec<Notice>> {
        let at = usize::from(partition.0);
        Ok(match message {
            feed::Message::Snapshot { events } => {
                self.give_back(partition, events.len());
                self.parts[at].has_given();
                events.into_iter().map(|event| Notice::Event { partition, event, token: None }).collect()
            }
            feed::Message::SnapshotEnd { at: position } => {
                self.token.positions[at] = position;
                self.parts[at].filled();
                self.token().map(|token| Notice::SnapshotEnd { token }).into_iter().collect()
            }
            feed::Message::Changes { after, upto, events } => {
                self.give_back(partition, events.len());
                let known = self.token.positions[at];
                if self.parts[at].is_filled() && after != known {
                    // Never told as if nothing had been missed, or nothing were told twice.
                    return Err(Error::internal(format!(
                        "the changes of partition {partition} after {after} came where those after {known} were due"
                    ))
                    .hint("subscribe again with the last token"));
                }
                self.parts[at].filled();
                let bookmark = events.is_empty();
                let mut notices = Vec::with_capacity(events.len());
                for event in events {
                    if let Some(position) = event.at {
                        self.token.positions[at] = position;
                    }
                    notices.push(Notice::Event { partition, event, token: self.token() });
                }
                self.token.positions[at] = upto;
                if bookmark {
                    notices.extend(self.token().map(|token| Notice::Bookmark { token }));
                }
                notices
            }
            feed::Message::Overrun => {
                self.parts[at].overrun();
                vec![Notice::Overrun { partition }]
            }
        })
    }

    /// Lets the partition send as many events again.
    fn give_back(&self, partition: PartitionId, events: usize) {
        if events == 0 {
            return;
        }
        let events = events as u32;
        match self.parts[usize::from(partition.0)].source() {
            Some(Source::Here) => {
                let credit = feed::Input::Credit { id: self.id, events };
                self.shared.post(partition, Message::Feed(partition, credit));
            }
            Some(Source::There(node)) => {
                if let Some(pump) = self.pumps.get(&node) {
                    pump.credit(partition, events);
                }
            }
            None => {}
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.shared.subscribers.remove(self.id);
        for (partition, part) in (0..).map(PartitionId).zip(&self.parts) {
            if part.source() == Some(Source::Here) {
                let cancel = feed::Input::Cancel { id: self.id };
                self.shared.post(partition, Message::Feed(partition, cancel));
            }
        }
    }
}
