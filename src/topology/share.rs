//! Shares things out as evenly as their choices allow.

use std::collections::{BTreeMap, VecDeque};

use crate::types::NodeId;

/// Gives each item to one of its choices, so that the loads end as even as the choices allow. An item without a choice
/// gets none. The loads are those of before, and then those of after.
///
/// First each item goes to the least loaded of its choices. Then, as long as a chain of items can be handed on from a
/// node to one with at least two fewer, it is: when there is no such chain, no other assignment is more even.
pub fn share(loads: &mut BTreeMap<NodeId, usize>, choices: &[Vec<NodeId>]) -> Vec<Option<NodeId>> {
    let mut given = vec![None; choices.len()];
    share_rest(loads, choices, &mut given);
    given
}

/// The same where some items are given already, and counted: they move only as far as that is more even.
pub(super) fn share_rest(
    loads: &mut BTreeMap<NodeId, usize>,
    choices: &[Vec<NodeId>],
    given: &mut [Option<NodeId>],
) {
    for (given, nodes) in given.iter_mut().zip(choices).filter(|(given, _)| given.is_none()) {
        *given = nodes.iter().copied().min_by_key(|node| (load(loads, *node), *node));
        given.iter().for_each(|node| *loads.entry(*node).or_default() += 1);
    }
    while let Some((from, chain)) = heaviest_first(loads).into_iter().find_map(|from| {
        let chain = chain(loads, choices, given, from);
        chain.map(|chain| (from, chain))
    }) {
        *loads.entry(from).or_default() -= 1;
        for (item, to) in &chain {
            given[*item] = Some(*to);
        }
        if let Some((_, to)) = chain.first() {
            *loads.entry(*to).or_default() += 1;
        }
    }
}

fn load(loads: &BTreeMap<NodeId, usize>, node: NodeId) -> usize {
    loads.get(&node).copied().unwrap_or_default()
}

fn heaviest_first(loads: &BTreeMap<NodeId, usize>) -> Vec<NodeId> {
    let mut nodes: Vec<NodeId> = loads.keys().copied().collect();
    nodes.sort_by_key(|node| std::cmp::Reverse(load(loads, *node)));
    nodes
}

/// The items to hand on, each with its new node, so that `from` has one fewer and the node of the first, with at least
/// two fewer than `from`, one more.
fn chain(
    loads: &BTreeMap<NodeId, usize>,
    choices: &[Vec<NodeId>],
    given: &[Option<NodeId>],
    from: NodeId,
) -> Option<Vec<(usize, NodeId)>> {
    // By node: the item that would move there.
    let mut reached: BTreeMap<NodeId, usize> = BTreeMap::new();
    let mut queue = VecDeque::from([from]);
    while let Some(at) = queue.pop_front() {
        let held = given.iter().enumerate().filter(|(_, node)| **node == Some(at)).map(|(item, _)| item);
        for (item, node) in held.flat_map(|item| choices[item].iter().map(move |node| (item, *node))) {
            if node == from || reached.contains_key(&node) {
                continue;
            }
            reached.insert(node, item);
            if load(loads, node) + 2 <= load(loads, from) {
                return Some(traced(&reached, given, from, node));
            }
            queue.push_back(node);
        }
    }
    None
}

fn traced(
    reached: &BTreeMap<NodeId, usize>,
    given: &[Option<NodeId>],
    from: NodeId,
    end: NodeId,
) -> Vec<(usize, NodeId)> {
    let mut chain = Vec::new();
    let mut at = end;
    while at != from {
        let item = reached[&at];
        chain.push((item, at));
        let Some(before) = given[item] else { break };
        at = before;
    }
    chain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn squares(loads: &BTreeMap<NodeId, usize>) -> usize {
        loads.values().map(|load| load * load).sum()
    }

    /// The most even of all assignments, by trying each.
    fn best(loads: &BTreeMap<NodeId, usize>, choices: &[Vec<NodeId>]) -> usize {
        let Some((first, rest)) = choices.split_first() else { return squares(loads) };
        let with = |node: &NodeId| {
            let mut loads = loads.clone();
            *loads.entry(*node).or_default() += 1;
            best(&loads, rest)
        };
        first.iter().map(with).min().unwrap_or_else(|| best(loads, rest))
    }

    #[test]
    fn a_chain_of_items_is_handed_on() {
        let [a, b, c] = [1, 2, 3].map(NodeId);
        let mut loads = BTreeMap::from([(a, 0), (b, 0), (c, 1)]);
        // Each to the least loaded at its turn leaves a with three, b with two and c with one.
        let given = share(&mut loads, &[vec![a, b], vec![b, c], vec![b, c], vec![a], vec![a]]);
        assert_eq!(given, [Some(b), Some(c), Some(b), Some(a), Some(a)]);
        assert_eq!(loads, BTreeMap::from([(a, 2), (b, 2), (c, 2)]));
        assert_eq!(share(&mut loads, &[vec![]]), [None]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_assignment_is_more_even(
            loads in prop::collection::vec(0..5_usize, 4),
            choices in prop::collection::vec(prop::collection::btree_set(0..4_u64, 0..4), 0..7),
        ) {
            let mut loads: BTreeMap<NodeId, usize> = (0..4).map(NodeId).zip(loads).collect();
            let choices: Vec<Vec<NodeId>> =
                choices.into_iter().map(|nodes| nodes.into_iter().map(NodeId).collect()).collect();
            let best = best(&loads, &choices);
            let given = share(&mut loads, &choices);
            prop_assert_eq!(squares(&loads), best);
            for (node, choices) in given.iter().zip(&choices) {
                prop_assert!(node.map_or(choices.is_empty(), |node| choices.contains(&node)));
            }
        }
    }
}
