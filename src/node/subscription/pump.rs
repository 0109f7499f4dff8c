//! Reads the feeds of one other node for one subscription.

use std::{collections::BTreeSet, sync::Arc};

use tokio::sync::mpsc;

use super::{
    queue::{Item, Queue},
    remote::{Change, Opening, PATIENCE, Poll, What},
};
use crate::{
    net::Net,
    node::shared::Shared,
    types::{Error, NodeId, PartitionId, Result},
};

/// A task that reads on behalf of a subscription, and ends with it.
pub(super) struct Pump {
    asked: mpsc::UnboundedSender<Asked>,
}

/// What the subscription wants.
#[derive(Debug)]
enum Asked {
    Open(Opening),
    Credit(PartitionId, u32),
}

impl Pump {
    pub(super) fn start(shared: &Arc<Shared>, node: NodeId, what: What, queue: Arc<Queue>) -> Self {
        let (asked, asking) = mpsc::unbounded_channel();
        let net = shared.net.clone();
        let reading = Reading { node, what, queue, asking, open: BTreeSet::new() };
        shared.runtime.spawn(reading.run(net));
        Pump { asked }
    }

    /// Opens a part there; false if the task has ended. A part that was opened is ended by an item, whatever happens.
    pub(super) fn open(&self, opening: Opening) -> bool {
        self.asked.send(Asked::Open(opening)).is_ok()
    }

    /// Lets a part send as many events more.
    pub(super) fn credit(&self, partition: PartitionId, events: u32) {
        // If the task has ended, so has the part.
        let _ = self.asked.send(Asked::Credit(partition, events));
    }
}

/// The task's side.
struct Reading {
    node: NodeId,
    what: What,
    queue: Arc<Queue>,
    asking: mpsc::UnboundedReceiver<Asked>,
    open: BTreeSet<PartitionId>,
}

impl Reading {
    async fn run(mut self, net: Option<Net>) {
        let outcome = match net {
            Some(net) => self.read(&net).await,
            None => Err(Error::unavailable("this node has no peers")),
        };
        let Err(error) = outcome else { return };
        // What is asked for from now on is refused; what was asked for before is ended.
        self.asking.close();
        while let Some(asked) = self.asking.recv().await {
            self.note(&asked);
        }
        self.queue.push_all(self.open.into_iter().map(|partition| (partition, Item::End(error.clone()))));
    }

    /// Until the subscription is over, or the other node cannot be reached.
    async fn read(&mut self, net: &Net) -> Result<()> {
        let Some(first) = self.asking.recv().await else { return Ok(()) };
        self.change(net, first).await?;
        loop {
            let poll = Poll { subscriber: self.what.subscriber };
            let polling = net.call(self.node, &poll, PATIENCE);
            tokio::pin!(polling);
            let items = loop {
                tokio::select! {
                    items = &mut polling => break items?,
                    asked = self.asking.recv() => match asked {
                        Some(asked) => self.change(net, asked).await?,
                        None => return self.end(net).await,
                    },
                }
            };
            for (partition, item) in &items {
                if matches!(item, Item::End(_)) {
                    self.open.remove(partition);
                }
            }
            if !items.is_empty() {
                self.queue.push_all(items);
            }
        }
    }

    /// Passes on what was asked for, with all that was asked for since.
    async fn change(&mut self, net: &Net, first: Asked) -> Result<()> {
        let mut change =
            Change { what: self.what.clone(), opens: Vec::new(), credits: Vec::new(), is_over: false };
        let mut next = Some(first);
        while let Some(asked) = next {
            self.note(&asked);
            match asked {
                Asked::Open(opening) => change.opens.push(opening),
                Asked::Credit(partition, events) => change.credits.push((partition, events)),
            }
            next = self.asking.try_recv().ok();
        }
        net.call(self.node, &change, PATIENCE).await
    }

    fn note(&mut self, asked: &Asked) {
        if let Asked::Open(opening) = asked {
            self.open.insert(opening.partition);
        }
    }

    async fn end(&self, net: &Net) -> Result<()> {
        let (what, opens, credits) = (self.what.clone(), Vec::new(), Vec::new());
        net.call(self.node, &Change { what, opens, credits, is_over: true }, PATIENCE).await
    }
}
