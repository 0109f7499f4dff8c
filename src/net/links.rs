//! The ways to all other nodes.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::RwLock;
use tokio::task::AbortHandle;

use super::{lane::Lane, link::Link, shared::Shared};
use crate::types::NodeId;

/// Nodes that are no members and yet dialled. Each has shown that it knows the secret.
const MOST_UNLISTED: usize = 64;

/// A link a node: to members on all lanes, to others that have been met on the control lane alone.
#[derive(Default)]
pub(super) struct Links(RwLock<BTreeMap<NodeId, Entry>>);

struct Entry {
    link: Arc<Link>,
    /// The address in the list of members; none for who is no member.
    listed: Option<String>,
    tasks: [Option<AbortHandle>; Lane::ALL.len()],
}

impl Entry {
    fn new(node: NodeId, address: &str) -> Self {
        Entry {
            link: Arc::new(Link::new(node, address.to_owned())),
            listed: None,
            tasks: [const { None }; 3],
        }
    }

    /// Keeps a lane connected from now on.
    fn keep(&mut self, shared: &Arc<Shared>, lane: Lane) {
        let task = &mut self.tasks[lane as usize];
        if task.is_none() {
            *task = shared.spawn(Arc::clone(&self.link).keep(Arc::clone(shared), lane));
        }
    }

    /// Keeps a lane no longer.
    fn leave(&mut self, lane: Lane) {
        if let Some(task) = self.tasks[lane as usize].take() {
            task.abort();
        }
    }
}

impl Links {
    /// The way to a node, if there is one.
    pub(super) fn find(&self, node: NodeId) -> Option<Arc<Link>> {
        self.0.read().get(&node).map(|entry| Arc::clone(&entry.link))
    }

    /// Takes note of a node that is alive at an address.
    pub(super) fn discover(&self, shared: &Arc<Shared>, node: NodeId, address: &str) {
        if let Some(link) = self.find(node) {
            return link.found_at(address);
        }
        let mut entries = self.0.write();
        let unlisted = entries.values().filter(|entry| entry.listed.is_none()).count();
        if node != shared.me() && unlisted < MOST_UNLISTED {
            entries.entry(node).or_insert_with(|| Entry::new(node, address)).keep(shared, Lane::Control);
        }
    }

    /// Takes the members and their addresses: they are dialled for ever, on all lanes.
    pub(super) fn list(&self, shared: &Arc<Shared>, members: &BTreeMap<NodeId, String>) {
        let mut entries = self.0.write();
        for (node, address) in members.iter().filter(|(node, _)| **node != shared.me()) {
            let entry = entries.entry(*node).or_insert_with(|| Entry::new(*node, address));
            // A member that has moved says so itself, before the list does: the list counts only where it is news.
            if entry.listed.as_ref() != Some(address) {
                entry.link.found_at(address);
                entry.listed = Some(address.clone());
            }
            Lane::ALL.into_iter().for_each(|lane| entry.keep(shared, lane));
        }
        for (_, entry) in entries.iter_mut().filter(|(node, _)| !members.contains_key(node)) {
            entry.listed = None;
            entry.leave(Lane::Data);
            entry.leave(Lane::Bulk);
        }
    }

    /// Forgets a node unless it is a member; says whether it did.
    pub(super) fn forget(&self, node: NodeId) -> bool {
        let mut entries = self.0.write();
        match entries.get(&node) {
            Some(entry) if entry.listed.is_some() => false,
            _ => {
                entries.remove(&node);
                true
            }
        }
    }
}
