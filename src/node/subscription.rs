//! Subscriptions over all partitions: one queue a subscriber, its credits, its token.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use super::{shared::Shared, worker::Message};
use crate::{
    feed::{self, Event, SubscriberId, Token, TokenKey},
    types::{Error, PartitionId, Position, Result},
};

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
    /// Changes of this partition were missed; a snapshot of it follows.
    Overrun {
        /// Which.
        partition: PartitionId,
    },
}

/// Messages on their way to one subscriber; bounded by the credits it gave.
#[derive(Debug, Default)]
struct Queue {
    messages: Mutex<VecDeque<(PartitionId, feed::Message)>>,
    ended: Mutex<Option<Error>>,
    arrived: Notify,
}

/// The subscribers of this node.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    queues: RwLock<HashMap<SubscriberId, Arc<Queue>>>,
    next: AtomicU64,
}

impl Subscribers {
    /// Passes a feed's effects on.
    pub(super) fn deliver(&self, partition: PartitionId, effects: &mut Vec<feed::Effect>) {
        if effects.is_empty() {
            return;
        }
        let queues = self.queues.read();
        for effect in effects.drain(..) {
            match effect {
                feed::Effect::Deliver { to, message } => {
                    let Some(queue) = queues.get(&to) else { continue };
                    queue.messages.lock().push_back((partition, message));
                    queue.arrived.notify_one();
                }
                feed::Effect::End { to, error } => {
                    let Some(queue) = queues.get(&to) else { continue };
                    queue.ended.lock().get_or_insert(error);
                    queue.arrived.notify_one();
                }
            }
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.queues.read().len()
    }
}

/// What a subscription is to.
pub(super) struct Target {
    pub(super) filter: feed::Filter,
    pub(super) filter_hash: u64,
    pub(super) start: Vec<feed::Start>,
}

/// A continuous query: rows, then every change, of all partitions. Ends when dropped.
pub struct Subscription {
    id: SubscriberId,
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    token: Token,
    key: TokenKey,
    /// Partitions of which no place to resume from is known: their snapshot is not complete, or they have not said
    /// where they begin.
    filling: Vec<bool>,
}

impl Subscription {
    pub(super) fn open(shared: &Arc<Shared>, target: Target, credits: u32) -> Subscription {
        let subscribers = &shared.subscribers;
        let id = SubscriberId(subscribers.next.fetch_add(1, Ordering::Relaxed));
        let queue = Arc::new(Queue::default());
        subscribers.queues.write().insert(id, queue.clone());
        let position = |start: &feed::Start| match start {
            feed::Start::After(position) => *position,
            feed::Start::Snapshot | feed::Start::Now => Position::default(),
        };
        let subscription = Subscription {
            id,
            shared: shared.clone(),
            queue,
            token: Token {
                cluster: shared.cluster,
                map: target.filter.map(),
                filter: target.filter_hash,
                positions: target.start.iter().map(position).collect(),
            },
            key: shared.token_key.clone(),
            filling: target.start.iter().map(|start| !matches!(start, feed::Start::After(_))).collect(),
        };
        for (partition, start) in (0..).map(PartitionId).zip(target.start) {
            let filter = target.filter.clone();
            shared.post(
                partition,
                Message::Feed(partition, feed::Input::Subscribe { id, filter, start, credits }),
            );
        }
        subscription
    }

    /// What comes next; waits for it. An error is the last that comes. Cancel-safe.
    pub async fn next(&mut self) -> Result<Vec<Notice>> {
        loop {
            let message = self.queue.messages.lock().pop_front();
            if let Some((partition, message)) = message {
                let notices = self.notices(partition, message);
                if notices.is_empty() {
                    continue;
                }
                return Ok(notices);
            }
            if let Some(error) = self.queue.ended.lock().clone() {
                return Err(error);
            }
            self.queue.arrived.notified().await;
        }
    }

    /// Where the subscription stands, once its snapshot is complete.
    fn token(&self) -> Option<String> {
        let complete = self.filling.iter().all(|filling| !filling);
        complete.then(|| self.token.encode(&self.key))
    }

    fn notices(&mut self, partition: PartitionId, message: feed::Message) -> Vec<Notice> {
        let at = usize::from(partition.0);
        match message {
            feed::Message::Snapshot { events } => {
                self.give_back(partition, events.len());
                events.into_iter().map(|event| Notice::Event { partition, event, token: None }).collect()
            }
            feed::Message::SnapshotEnd { at: position } => {
                self.token.positions[at] = position;
                self.filling[at] = false;
                self.token().map(|token| Notice::SnapshotEnd { token }).into_iter().collect()
            }
            feed::Message::Changes { upto, events, .. } => {
                self.give_back(partition, events.len());
                self.filling[at] = false;
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
                self.filling[at] = true;
                vec![Notice::Overrun { partition }]
            }
        }
    }

    /// Lets the partition send as many events again.
    fn give_back(&self, partition: PartitionId, events: usize) {
        if events > 0 {
            let events = events as u32;
            let credit = feed::Input::Credit { id: self.id, events };
            self.shared.post(partition, Message::Feed(partition, credit));
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.shared.subscribers.queues.write().remove(&self.id);
        for partition in (0..self.filling.len() as u16).map(PartitionId) {
            self.shared.post(partition, Message::Feed(partition, feed::Input::Cancel { id: self.id }));
        }
    }
}
