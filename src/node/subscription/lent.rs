//! Subscriptions of other nodes, as the node sees them that has the primaries.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    queue::{Item, Queue},
    remote::{ANSWER_BYTES, Change, HOLD, Opening},
};
use crate::{
    catalog::Catalogue,
    feed::{self, Filter, SubscriberId},
    node::{grid::Grid, shared::Shared, worker::Message},
    types::{Error, NodeId, PartitionId, Result},
};

/// A subscriber that has not asked for so long is gone, in microseconds.
const GONE_US: u64 = 10_000_000;
/// The most subscribers of all other nodes.
const MOST: usize = 65_536;

/// By node and the number that it gave the reading.
pub(super) type Lent = HashMap<(NodeId, u64), Reading>;

/// One reading on behalf of a subscription of another node.
#[derive(Debug)]
pub(super) struct Reading {
    id: SubscriberId,
    filter: Filter,
    queue: Arc<Queue>,
    parts: BTreeSet<PartitionId>,
    asked_us: u64,
}

/// Opens parts, takes credits, or ends it all.
pub(super) fn change(node: &Grid, from: NodeId, change: Change) -> Result<()> {
    let shared = &node.inner.shared;
    let key = (from, change.what.subscriber);
    let mut lent = shared.subscribers.lent.lock();
    if change.is_over {
        if let Some(reading) = lent.remove(&key) {
            end(shared, &reading);
        }
        return Ok(());
    }
    if !lent.contains_key(&key) {
        if lent.len() >= MOST {
            return Err(Error::overloaded("other nodes have too many subscriptions here"));
        }
        let filter = filter(&node.catalogue(), &change)?;
        let (id, queue) = shared.subscribers.add();
        let asked_us = shared.clock.mono_us();
        lent.insert(key, Reading { id, filter, queue, parts: BTreeSet::new(), asked_us });
    }
    let Some(reading) = lent.get_mut(&key) else { return Ok(()) };
    let (id, count) = (reading.id, shared.readers.len());
    let mut inputs = Vec::new();
    for Opening { partition, start, credits } in change.opens {
        if usize::from(partition.0) >= count {
            return Err(Error::invalid(format!("there is no partition {partition}")));
        }
        reading.parts.insert(partition);
        let filter = reading.filter.clone();
        inputs.push((partition, feed::Input::Subscribe { id, filter, start, credits }));
    }
    let known = change.credits.into_iter().filter(|(partition, _)| reading.parts.contains(partition));
    inputs.extend(known.map(|(partition, events)| (partition, feed::Input::Credit { id, events })));
    // A worker may deliver to subscribers at once.
    drop(lent);
    for (partition, input) in inputs {
        shared.post(partition, Message::Feed(partition, input));
    }
    Ok(())
}

fn filter(catalogue: &Catalogue, change: &Change) -> Result<Filter> {
    let map = catalogue.map_by_id(change.what.map).ok_or_else(|| {
        Error::unavailable(format!("this node does not know the map {} (yet)", change.what.map))
    })?;
    Filter::compile(map, change.what.condition.as_deref())
}

/// What has come; waits for it a moment.
pub(super) async fn poll(node: Grid, from: NodeId, subscriber: u64) -> Result<Vec<(PartitionId, Item)>> {
    let queue = {
        let shared = &node.inner.shared;
        let mut lent = shared.subscribers.lent.lock();
        let reading = lent
            .get_mut(&(from, subscriber))
            .ok_or_else(|| Error::unavailable("this node does not know the subscription (any more)"))?;
        reading.asked_us = shared.clock.mono_us();
        reading.queue.clone()
    };
    // The subscription of a node that is ending must not keep it.
    drop(node);
    let until = tokio::time::sleep(HOLD);
    tokio::pin!(until);
    loop {
        let items = queue.take(ANSWER_BYTES);
        if !items.is_empty() {
            return Ok(items);
        }
        tokio::select! {
            () = queue.arrived() => {}
            () = &mut until => return Ok(Vec::new()),
        }
    }
}

/// Ends the subscriptions of those who have not asked for long.
pub(in crate::node) fn expire_lent(shared: &Arc<Shared>) {
    let now_us = shared.clock.mono_us();
    let gone: Vec<Reading> = {
        let mut lent = shared.subscribers.lent.lock();
        let is_gone = |reading: &Reading| now_us.saturating_sub(reading.asked_us) > GONE_US;
        lent.extract_if(|_, reading| is_gone(reading)).map(|(_, reading)| reading).collect()
    };
    gone.iter().for_each(|reading| end(shared, reading));
}

fn end(shared: &Arc<Shared>, reading: &Reading) {
    shared.subscribers.remove(reading.id);
    for partition in &reading.parts {
        let cancel = feed::Input::Cancel { id: reading.id };
        shared.post(*partition, Message::Feed(*partition, cancel));
    }
}
