//! What arrives for a subscriber, and the subscribers of this node.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::lent::Lent;
use crate::{
    feed::{self, SubscriberId},
    types::{Error, Incarnation, PartitionId},
};

/// What the source of one part says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Item {
    /// A message of the feed.
    Message(feed::Message),
    /// It says nothing more.
    End(Error),
}

/// Items on their way to one subscriber; bounded by the credits it gave.
#[derive(Debug, Default)]
pub(super) struct Queue {
    items: Mutex<VecDeque<(PartitionId, Item)>>,
    arrived: Notify,
}

impl Queue {
    pub(super) fn push(&self, partition: PartitionId, item: Item) {
        self.items.lock().push_back((partition, item));
        self.arrived.notify_one();
    }

    pub(super) fn push_all(&self, items: impl IntoIterator<Item = (PartitionId, Item)>) {
        self.items.lock().extend(items);
        self.arrived.notify_one();
    }

    pub(super) fn pop(&self) -> Option<(PartitionId, Item)> {
        self.items.lock().pop_front()
    }

    /// Takes the first items, as long as they have less than so many bytes together.
    pub(super) fn take(&self, most_bytes: usize) -> Vec<(PartitionId, Item)> {
        let mut items = self.items.lock();
        let mut bytes = 0;
        let mut fits = |(_, item): &(PartitionId, Item)| {
            let fits = bytes < most_bytes;
            bytes += item.size();
            fits
        };
        let count = items.iter().take_while(|item| fits(item)).count();
        items.drain(..count).collect()
    }

    /// Returns when something may have arrived since the last look. For one task at a time.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }
}

impl Item {
    /// About how many bytes it has.
    fn size(&self) -> usize {
        let events = match self {
            Item::Message(feed::Message::Snapshot { events } | feed::Message::Changes { events, .. }) => {
                &events[..]
            }
            Item::Message(_) | Item::End(_) => &[],
        };
        let rows = events.iter().flat_map(|event| [Some(&event.row), event.old.as_ref()]).flatten();
        size_of::<Self>() + rows.map(|row| row.size() + size_of::<feed::Event>()).sum::<usize>()
    }
}

/// The subscribers of this node, and those of other nodes that read its feeds.
#[derive(Debug)]
pub(in crate::node) struct Subscribers {
    queues: RwLock<HashMap<SubscriberId, Arc<Queue>>>,
    next: AtomicU64,
    pub(super) lent: Mutex<Lent>,
}

impl Subscribers {
    /// None yet. The numbers that they will be given differ from those of every other start of this node.
    pub(in crate::node) fn new(incarnation: Incarnation) -> Self {
        Subscribers {
            queues: RwLock::default(),
            next: AtomicU64::new(incarnation.0 << 32),
            lent: Mutex::default(),
        }
    }

    pub(super) fn add(&self) -> (SubscriberId, Arc<Queue>) {
        let id = self.number();
        let queue = Arc::new(Queue::default());
        self.queues.write().insert(id, queue.clone());
        (id, queue)
    }

    /// A number that no other subscriber has, and no other reading of another node's feeds.
    pub(super) fn number(&self) -> SubscriberId {
        SubscriberId(self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn remove(&self, id: SubscriberId) {
        self.queues.write().remove(&id);
    }

    /// Passes a feed's effects on.
    pub(in crate::node) fn deliver(&self, partition: PartitionId, effects: &mut Vec<feed::Effect>) {
        if effects.is_empty() {
            return;
        }
        let queues = self.queues.read();
        for effect in effects.drain(..) {
            let (to, item) = match effect {
                feed::Effect::Deliver { to, message } => (to, Item::Message(message)),
                feed::Effect::End { to, error } => (to, Item::End(error)),
            };
            if let Some(queue) = queues.get(&to) {
                queue.push(partition, item);
            }
        }
    }

    /// How many there are.
    pub(in crate::node) fn len(&self) -> usize {
        self.queues.read().len()
    }
}
