//! Where the replicas of each partition are to be at last.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{super::share::share_rest, Holders};
use crate::types::NodeId;

/// Where the replicas of each partition are to be.
pub(super) struct Targets<'a> {
    nodes: &'a BTreeSet<NodeId>,
    held: &'a [Option<Holders>],
    /// By partition.
    pub(super) places: Vec<Vec<NodeId>>,
    /// How many replicas each node is to have.
    loads: BTreeMap<NodeId, usize>,
    /// How many partitions of a primary's node are to have a replica at another.
    pairs: BTreeMap<(NodeId, NodeId), usize>,
}

impl<'a> Targets<'a> {
    pub(super) fn of(nodes: &'a BTreeSet<NodeId>, wanted: usize, held: &'a [Option<Holders>]) -> Self {
        let loads = nodes.iter().map(|node| (*node, 0)).collect();
        let places = vec![Vec::new(); held.len()];
        let mut targets = Targets { nodes, held, places, loads, pairs: BTreeMap::new() };
        targets.keep();
        targets.trim(wanted);
        targets.fill(wanted.min(nodes.len()));
        targets.even_out();
        targets
    }

    /// What is held, or about to be, at these nodes.
    fn keep(&mut self) {
        let nodes = self.nodes;
        for (partition, held) in self.held.iter().enumerate() {
            let Some(held) = held else { continue };
            for node in held.in_sync.iter().chain(&held.learners).filter(|node| nodes.contains(node)) {
                self.put(partition, *node);
            }
        }
    }

    /// Where there are too many, the node that has the most loses its replica. Of those that have no more than their share
    /// it is not the one that came last: a replica that was copied there to move is not thrown away.
    fn trim(&mut self, wanted: usize) {
        let held = self.places.iter().map(|places| places.len().min(wanted)).sum::<usize>();
        let share = held.div_ceil(self.nodes.len());
        let mut trimmed = Vec::new();
        for partition in 0..self.places.len() {
            while self.places[partition].len() > wanted
                && let Some(node) = self.most_loaded(partition, share)
            {
                self.take(partition, node);
                trimmed.push((partition, node));
            }
        }
        self.exchange(trimmed);
    }

    /// Of the replicas of a partition another may go in the stead of the one that was to, if that is more even: it costs
    /// nothing.
    fn exchange(&mut self, mut trimmed: Vec<(usize, NodeId)>) {
        trimmed.dedup_by_key(|(partition, _)| *partition);
        let most = self.loads.values().copied().max().unwrap_or_default();
        let mut room = self.loads.iter().map(|(node, load)| (*node, most - load)).collect();
        let choices = |(partition, node): &(usize, NodeId)| {
            self.places[*partition].iter().copied().chain([*node]).collect::<Vec<_>>()
        };
        let choices: Vec<Vec<NodeId>> = trimmed.iter().map(choices).collect();
        let mut gone: Vec<Option<NodeId>> = trimmed.iter().map(|(_, node)| Some(*node)).collect();
        share_rest(&mut room, &choices, &mut gone);
        for ((partition, stays), goes) in trimmed.into_iter().zip(gone.into_iter().flatten()) {
            if goes != stays {
                self.take(partition, goes);
                self.put(partition, stays);
            }
        }
    }

    fn most_loaded(&self, partition: usize, share: usize) -> Option<NodeId> {
        let last = self.places[partition].last();
        let primary = self.primary(partition);
        let rank = |node: &NodeId| {
            let excess = self.load(*node).saturating_sub(share);
            (excess, Some(node) != last, Some(*node) != primary, self.pair(partition, *node), *node)
        };
        self.places[partition].iter().copied().max_by_key(rank)
    }

    /// Where there are too few, the node that has the fewest gets one.
    fn fill(&mut self, wanted: usize) {
        for partition in 0..self.places.len() {
            while self.held[partition].is_some()
                && self.places[partition].len() < wanted
                && let Some(node) = self.least_loaded(partition)
            {
                self.put(partition, node);
            }
        }
    }

    fn least_loaded(&self, partition: usize) -> Option<NodeId> {
        let rank = |node: &NodeId| (self.load(*node), self.pair(partition, *node), *node);
        let others = self.nodes.iter().filter(|node| !self.places[partition].contains(node));
        others.copied().min_by_key(rank)
    }

    /// From the node that has the most to the one that has the fewest, until that is one fewer. One that has more than
    /// another has a partition that the other has not.
    fn even_out(&mut self) {
        while let Some((from, to)) = self.extremes()
            && let Some(partition) = self.cheapest(from, to)
        {
            self.take(partition, from);
            self.put(partition, to);
        }
    }

    fn extremes(&self) -> Option<(NodeId, NodeId)> {
        let (from, most) = self.loads.iter().max_by_key(|(node, load)| (**load, Reverse(**node)))?;
        let (to, fewest) = self.loads.iter().min_by_key(|(node, load)| (**load, **node))?;
        (*most > fewest + 1).then_some((*from, *to))
    }

    /// A replica that is not there yet moves at no cost; a backup is moved without a hand-over.
    fn cheapest(&self, from: NodeId, to: NodeId) -> Option<usize> {
        let is_movable = |partition: &usize| {
            let places = &self.places[*partition];
            places.contains(&from) && !places.contains(&to)
        };
        let cost = |partition: &usize| {
            let held = self.held[*partition].as_ref();
            let is_held =
                held.is_some_and(|held| held.in_sync.contains(&from) || held.learners.contains(&from));
            let is_busy = held.is_some_and(|held| held.successor.is_some() || !held.learners.is_empty());
            let is_primary = self.primary(*partition) == Some(from);
            (is_held, is_busy, is_primary, self.pair(*partition, to), *partition)
        };
        (0..self.places.len()).filter(is_movable).min_by_key(cost)
    }

    fn put(&mut self, partition: usize, node: NodeId) {
        self.places[partition].push(node);
        *self.loads.entry(node).or_default() += 1;
        if let Some(primary) = self.primary(partition) {
            *self.pairs.entry((primary, node)).or_default() += 1;
        }
    }

    fn take(&mut self, partition: usize, node: NodeId) {
        self.places[partition].retain(|place| *place != node);
        *self.loads.entry(node).or_default() -= 1;
        if let Some(primary) = self.primary(partition) {
            *self.pairs.entry((primary, node)).or_default() -= 1;
        }
    }

    fn load(&self, node: NodeId) -> usize {
        self.loads.get(&node).copied().unwrap_or_default()
    }

    fn pair(&self, partition: usize, node: NodeId) -> usize {
        self.primary(partition)
            .and_then(|primary| self.pairs.get(&(primary, node)))
            .copied()
            .unwrap_or_default()
    }

    fn primary(&self, partition: usize) -> Option<NodeId> {
        self.held[partition].as_ref().map(|held| held.successor.unwrap_or(held.primary))
    }
}
