//! Puts the nodes in an order in which each comes after those it reads from, or says why there is none.

use super::{
    super::{Error, Limits},
    Graph,
};

/// Sorts the nodes; refuses cycles and chains over the limit.
pub(in crate::model) fn sort(graph: &mut Graph, limits: &Limits) -> Result<(), Error> {
    let givers = graph.givers();
    let mut waiting = vec![0_usize; graph.nodes.len()];
    let mut readers = vec![Vec::new(); graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        for giver in node.inputs.iter().flatten().filter_map(|input| givers[input.index()]) {
            waiting[index] += 1;
            readers[giver].push(index);
        }
    }
    let mut order: Vec<usize> = (0..graph.nodes.len()).filter(|&index| waiting[index] == 0).collect();
    let mut depth = vec![1_usize; graph.nodes.len()];
    let mut next = 0;
    while next < order.len() {
        let node = order[next];
        next += 1;
        for &reader in &readers[node] {
            depth[reader] = depth[reader].max(depth[node] + 1);
            waiting[reader] -= 1;
            if waiting[reader] == 0 {
                order.push(reader);
            }
        }
    }
    if let Some(stuck) = waiting.iter().position(|&count| count > 0) {
        let place = format!("node {}", graph.nodes[stuck].place());
        return Err(Error::invalid(place, "it is part of a cycle, or reads from one"));
    }
    let deepest = depth.iter().copied().max().unwrap_or(0);
    Error::limit("the longest chain of operators", deepest, limits.depth)?;
    let mut nodes: Vec<_> = std::mem::take(&mut graph.nodes).into_iter().map(Some).collect();
    graph.nodes = order.into_iter().filter_map(|index| nodes[index].take()).collect();
    Ok(())
}
