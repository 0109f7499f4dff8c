//! Graphs inside of nodes: what a branch, or a round of a loop, computes.

use super::{Attribute, Graph, Node, Type};

/// A graph inside of a node. It has values of its own; those that it reads from the graph around it are inputs of the
/// node, after its own, and the body's last inputs.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::model) struct Body {
    pub(in crate::model) graph: Graph,
    /// How many inputs the node has of its own.
    pub(in crate::model) own: usize,
    /// For each input that is captured, the input of the node that it is.
    pub(in crate::model) captures: Vec<usize>,
}

impl Body {
    /// How many inputs the node's operator gives it: all but those that are captured.
    pub(in crate::model) fn formals(&self) -> usize {
        self.graph.inputs.len() - self.captures.len()
    }
}

/// Hands the types and constants of what bodies read to them: `formals` are the types of what the operator gives.
pub(super) fn bind(graph: &Graph, node: &mut Node, formals: &[Type]) {
    let Node { inputs, attributes, .. } = node;
    for body in attributes.values_mut().filter_map(Attribute::body_mut) {
        let first = body.formals();
        for (index, (id, _)) in body.graph.inputs.iter().enumerate() {
            let captured = index.checked_sub(first).and_then(|at| inputs[body.captures[at]]);
            let value = &mut body.graph.values[id.index()];
            match captured.map(|outer| graph.value(outer)) {
                Some(outer) => {
                    value.kind = outer.kind.clone();
                    value.constant = outer.constant.clone();
                }
                None => value.kind = formals.get(index).cloned().unwrap_or(Type::Unknown),
            }
        }
    }
}

/// Hands constants that bodies capture to them.
pub(super) fn bind_constants(graph: &Graph, node: &mut Node) {
    let Node { inputs, attributes, .. } = node;
    for body in attributes.values_mut().filter_map(Attribute::body_mut) {
        let first = body.formals();
        for ((id, _), at) in body.graph.inputs[first..].iter().zip(&body.captures) {
            let constant = inputs[*at].and_then(|outer| graph.constant(outer));
            body.graph.values[id.index()].constant = constant.cloned();
        }
    }
}

/// Forgets captures that nobody reads, or that are the same in every run: those the body holds itself.
pub(super) fn prune(node: &mut Node) {
    let Some(own) = node.bodies().next().map(|body| body.own) else { return };
    let captured = node.inputs.split_off(own.min(node.inputs.len()));
    let Node { inputs, attributes, .. } = node;
    for body in attributes.values_mut().filter_map(Attribute::body_mut) {
        let uses = body.graph.uses();
        let last = body.graph.inputs.split_off(body.formals());
        for ((id, port), at) in last.into_iter().zip(std::mem::take(&mut body.captures)) {
            if uses[id.index()] == 0 || body.graph.constant(id).is_some() {
                continue;
            }
            body.captures.push(inputs.len());
            inputs.push(captured[at - own]);
            body.graph.inputs.push((id, port));
        }
    }
}
