//! Plans as golden text, and carried out in any order.

use proptest::prelude::*;

use super::*;
use crate::topology::Loads;

/// A cluster that follows its plan.
#[derive(Clone, Debug)]
struct Grid {
    nodes: BTreeSet<NodeId>,
    wanted: usize,
    held: Vec<Option<Holders>>,
}

impl Grid {
    /// As it is founded by nodes 1, 2, ..
    fn new(nodes: u64, partitions: u64, wanted: usize) -> Self {
        let nodes: BTreeSet<NodeId> = (1..=nodes).map(NodeId).collect();
        let mut loads = Loads::new(nodes.iter().copied());
        let held = (0..partitions).map(|_| {
            let primary = loads.next_primary().unwrap();
            loads.add_primary(primary);
            let mut in_sync = vec![primary];
            while in_sync.len() < wanted
                && let Some(node) = loads.next_replica(primary, |node| in_sync.contains(&node))
            {
                loads.add_replica(primary, node);
                in_sync.push(node);
            }
            Some(Holders { primary, in_sync, learners: Vec::new(), successor: None })
        });
        Grid { held: held.collect(), nodes, wanted }
    }

    fn moves(&self) -> Vec<(PartitionId, Move)> {
        rebalance(&self.nodes, self.wanted, &self.held)
    }

    fn of(&mut self, partition: PartitionId) -> &mut Holders {
        self.held[usize::from(partition.0)].as_mut().unwrap()
    }

    fn begin(&mut self, partition: PartitionId, to: Move) {
        let wanted = self.wanted;
        let held = self.of(partition);
        assert!(held.learners.is_empty() && held.successor.is_none(), "one thing at a time: {held:?}");
        match to {
            Move::Add(node) => {
                assert!(!held.in_sync.contains(&node) && held.in_sync.len() <= wanted, "{held:?} {node}");
                held.learners.push(node);
            }
            Move::HandOver(node) => {
                assert!(held.in_sync.contains(&node) && node != held.primary, "{held:?} {node}");
                held.successor = Some(node);
            }
            Move::Drop(node) => {
                assert!(held.in_sync.len() > wanted && node != held.primary, "{held:?} {node}");
                held.in_sync.retain(|other| *other != node);
            }
        }
    }

    fn end(held: &mut Holders) {
        held.primary = held.successor.take().unwrap_or(held.primary);
        held.in_sync.append(&mut held.learners);
    }

    /// Everything to its end, one step of each partition after the other; what was done.
    fn settle(&mut self) -> Vec<(PartitionId, Move)> {
        let mut done = Vec::new();
        loop {
            let moves = self.moves();
            if moves.is_empty() {
                return done;
            }
            for (partition, to) in moves {
                self.begin(partition, to);
                done.push((partition, to));
            }
            self.held.iter_mut().flatten().for_each(Self::end);
            assert!(done.len() < 20 * self.held.len() + 20, "it does not come to an end: {done:?}");
        }
    }

    /// The node is gone.
    fn kill(&mut self, node: NodeId) {
        self.nodes.remove(&node);
        for held in self.held.iter_mut().flatten() {
            held.in_sync.retain(|other| *other != node);
            held.learners.retain(|other| *other != node);
            held.successor = held.successor.filter(|other| *other != node);
            if held.primary == node {
                held.primary = held.in_sync[0];
                held.successor = None;
            }
        }
    }

    /// What is missing is filled, wherever.
    fn refill(&mut self) {
        let nodes = &self.nodes;
        for (at, held) in self.held.iter_mut().flatten().enumerate() {
            let is_free = |node: &&NodeId| !held.in_sync.contains(node) && !held.learners.contains(node);
            let others: Vec<NodeId> = nodes.iter().filter(is_free).copied().collect();
            let missing =
                self.wanted.saturating_sub(held.in_sync.len() + held.learners.len()).min(others.len());
            held.in_sync.extend((0..missing).map(|nth| others[(at + nth) % others.len()]));
        }
    }

    fn counts(&self, of: impl Fn(&Holders, NodeId) -> bool) -> Vec<usize> {
        let count = |node: &NodeId| self.held.iter().flatten().filter(|held| of(held, *node)).count();
        self.nodes.iter().map(count).collect()
    }

    fn check(&self) {
        let spread = |counts: &[usize]| counts.iter().max().unwrap() - counts.iter().min().unwrap();
        let replicas = self.counts(|held, node| held.in_sync.contains(&node));
        let primaries = self.counts(|held, node| held.primary == node);
        assert!(spread(&replicas) <= 1, "replicas {replicas:?}");
        assert!(spread(&primaries) <= 1, "primaries {primaries:?}");
        for held in self.held.iter().flatten() {
            assert!(self.nodes.contains(&held.primary));
            assert!(held.in_sync.len() >= self.wanted.min(self.nodes.len()), "{held:?}");
            assert!(held.in_sync.len() <= self.wanted, "{held:?}");
        }
    }
}

fn shown(moves: &[(PartitionId, Move)]) -> String {
    let line = |(partition, to): &(PartitionId, Move)| match to {
        Move::Drop(node) => format!("{partition}: -{}", node.0),
        Move::HandOver(node) => format!("{partition}: >{}", node.0),
        Move::Add(node) => format!("{partition}: +{}", node.0),
    };
    moves.iter().map(line).collect::<Vec<_>>().join(", ")
}

fn count(done: &[(PartitionId, Move)], is: impl Fn(&Move) -> bool) -> usize {
    done.iter().filter(|(_, to)| is(to)).count()
}

fn is_add(to: &Move) -> bool {
    matches!(to, Move::Add(_))
}

fn is_hand_over(to: &Move) -> bool {
    matches!(to, Move::HandOver(_))
}

#[test]
fn what_is_even_stays() {
    for (nodes, partitions, wanted) in [(1, 4, 2), (3, 12, 2), (3, 271, 3), (5, 271, 2), (4, 2, 1)] {
        let mut grid = Grid::new(nodes, partitions, wanted);
        assert_eq!(shown(&grid.moves()), "", "{nodes} {partitions} {wanted}");
        grid.nodes.clear();
        assert_eq!(shown(&grid.moves()), "", "there is nowhere to go");
    }
}

#[test]
fn a_node_that_joins_gets_its_share_and_no_more() {
    let mut grid = Grid::new(3, 8, 2);
    grid.nodes.insert(NodeId(4));
    assert_eq!(shown(&grid.moves()), "0: +4, 1: +4, 2: +4, 4: +4");
    let done = grid.settle();
    assert_eq!(shown(&done[4..]), "1: -1, 2: -3, 0: >4, 4: >4, 5: >2, 0: -2, 4: -1");
    grid.check();
}

#[test]
fn nodes_that_come_and_go_move_what_must_move() {
    for (partitions, wanted) in [(271, 2), (271, 3), (16, 2), (1024, 2)] {
        let mut grid = Grid::new(3, partitions, wanted);
        let copies = partitions as usize * wanted;
        for node in [4, 5] {
            grid.nodes.insert(NodeId(node));
            let done = grid.settle();
            grid.check();
            let (added, handed_over) = (count(&done, is_add), count(&done, is_hand_over));
            assert!(added <= copies.div_ceil(node as usize), "{partitions} {wanted} {node}: {added} added");
            let share = (partitions as usize).div_ceil(node as usize);
            assert!(handed_over <= 2 * share, "{partitions} {wanted} {node}: {handed_over} handed over");
        }
        for node in [1, 4] {
            let held = grid.held.iter().flatten().filter(|held| held.in_sync.contains(&NodeId(node))).count();
            grid.nodes.remove(&NodeId(node));
            let done = grid.settle();
            grid.check();
            let added = count(&done, is_add);
            // A few more than there must be, for who comes first takes where there is most room.
            assert!(
                added <= held + held / 20 + 2,
                "{partitions} {wanted} {node}: {added} added, {held} held"
            );
        }
    }
}

#[test]
fn primaries_that_gathered_are_spread_again() {
    let mut grid = Grid::new(3, 90, 3);
    for held in grid.held.iter_mut().flatten() {
        held.primary = NodeId(2);
    }
    let done = grid.settle();
    grid.check();
    assert_eq!((done.len(), count(&done, is_hand_over)), (60, 60));
}

#[test]
fn who_leaves_hands_over_first_and_then_gives_up_what_others_have() {
    let mut grid = Grid::new(3, 6, 2);
    grid.nodes.remove(&NodeId(1));
    let done = grid.settle();
    let first = done.iter().take_while(|(_, to)| is_hand_over(to)).count();
    assert_eq!(first, 2, "{}", shown(&done));
    grid.check();
    // Two nodes of three copies: nobody can take its place.
    let mut grid = Grid::new(3, 6, 3);
    grid.nodes.remove(&NodeId(1));
    let done = grid.settle();
    assert_eq!(count(&done, is_hand_over), done.len(), "{}", shown(&done));
    assert!(grid.held.iter().flatten().all(|held| held.in_sync.len() == 3 && held.primary != NodeId(1)));
}

#[test]
fn what_is_under_way_is_left_alone_and_counts() {
    let mut grid = Grid::new(3, 8, 2);
    grid.nodes.insert(NodeId(4));
    let first = grid.moves();
    for (partition, to) in &first {
        grid.begin(*partition, *to);
    }
    assert_eq!(shown(&grid.moves()), "", "it is as good as done");
    grid.held[0] = None;
    assert!(grid.moves().iter().all(|(partition, _)| partition.0 != 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes and goes, and in whatever order moves are begun and ended, it ends in balance; the same state gives
    /// the same plan.
    #[test]
    fn it_comes_to_rest_in_balance(
        nodes in 1..7_u64,
        partitions in 1..40_u64,
        wanted in 1..4_usize,
        events in prop::collection::vec((0..4_u8, 1..9_u64, any::<u64>()), 0..40),
    ) {
        let mut grid = Grid::new(nodes, partitions, wanted);
        for (event, node, dice) in events {
            let node = NodeId(node);
            match event {
                0 => drop(grid.nodes.insert(node)),
                1 if grid.nodes.len() > 1 => drop(grid.nodes.remove(&node)),
                2 if grid.nodes.len() > 1 && grid.held.iter().flatten().all(|held| held.in_sync != [node]) => {
                    grid.kill(node);
                    grid.refill();
                }
                _ => {
                    let moves = grid.moves();
                    prop_assert_eq!(&moves, &grid.moves());
                    for (nth, (partition, to)) in moves.into_iter().enumerate() {
                        if dice >> (nth % 64) & 1 == 1 {
                            grid.begin(partition, to);
                        }
                    }
                    for (nth, held) in grid.held.iter_mut().flatten().enumerate() {
                        if dice >> ((nth + 31) % 64) & 1 == 1 {
                            Grid::end(held);
                        }
                    }
                }
            }
        }
        grid.held.iter_mut().flatten().for_each(Grid::end);
        grid.refill();
        grid.settle();
        let staying = grid.nodes.len();
        for held in grid.held.iter().flatten() {
            prop_assert!(grid.nodes.contains(&held.primary));
            let left = held.in_sync.iter().filter(|node| grid.nodes.contains(node)).count();
            prop_assert_eq!(left, wanted.min(staying));
        }
        let spread = |counts: Vec<usize>| counts.iter().max().unwrap() - counts.iter().min().unwrap();
        prop_assert!(spread(grid.counts(|held, node| held.in_sync.contains(&node))) <= 1);
        prop_assert!(spread(grid.counts(|held, node| held.primary == node)) <= 1);
    }
}
