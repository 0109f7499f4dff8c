//! An `If` whose condition is the same in every run is replaced by the branch that it takes, before the types of what it
//! gives are inferred: what the other branch holds need not be supported.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    super::{Data, Options, Tensor},
    Attribute, Body, Graph, Node, ValueId,
    compute::compute,
};

/// What is known of the values of one graph, while its nodes are gone through in order.
pub(super) struct Fixed<'o> {
    options: &'o Options,
    /// Values that depend on constants alone, and which node gives each.
    givers: HashMap<ValueId, usize>,
    /// Those of them that were asked for; none where computing them failed.
    known: HashMap<ValueId, Option<Arc<Tensor>>>,
    /// How many elements may still be computed.
    budget: usize,
}

impl<'o> Fixed<'o> {
    pub(super) fn new(options: &'o Options) -> Self {
        let budget = options.limits.parameters;
        Fixed { options, givers: HashMap::new(), known: HashMap::new(), budget }
    }

    /// Notes the last of the graph's nodes.
    pub(super) fn note(&mut self, graph: &Graph) {
        let Some(node) = graph.nodes.last() else { return };
        let fixed = |input: &ValueId| graph.constant(*input).is_some() || self.givers.contains_key(input);
        if node.inputs.iter().flatten().all(fixed) {
            let number = graph.nodes.len() - 1;
            self.givers.extend(node.outputs.iter().flatten().map(|output| (*output, number)));
        }
    }

    /// The branch that a node always takes; none if it is no `If`, or its condition is not the same in every run.
    pub(super) fn branch<'n>(&mut self, graph: &Graph, node: &'n Node) -> Option<&'n Body> {
        if node.op.parts() != ("ai.onnx", "If") {
            return None;
        }
        let condition = self.value(graph, node.inputs.first().copied().flatten()?)?;
        let Data::Bool(condition) = &condition.data else { return None };
        let name = match condition[..] {
            [true] => "then_branch",
            [false] => "else_branch",
            _ => return None,
        };
        match node.attributes.get(name) {
            Some(Attribute::Graph(body))
                if body.formals() == 0 && body.graph.outputs.len() >= node.outputs.len() =>
            {
                Some(body)
            }
            _ => None,
        }
    }

    /// A value that depends on constants alone.
    fn value(&mut self, graph: &Graph, id: ValueId) -> Option<Arc<Tensor>> {
        if let Some(tensor) = graph.constant(id) {
            return Some(Arc::clone(tensor));
        }
        for number in self.needed(graph, id) {
            self.compute(graph, &graph.nodes[number]);
        }
        self.known.get(&id).cloned().flatten()
    }

    /// The nodes that a value depends on and that are not computed yet, in order.
    fn needed(&self, graph: &Graph, id: ValueId) -> Vec<usize> {
        let mut needed = HashSet::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if let Some(number) = self.givers.get(&id)
                && !self.known.contains_key(&id)
                && needed.insert(*number)
            {
                open.extend(graph.nodes[*number].inputs.iter().flatten());
            }
        }
        let mut needed: Vec<usize> = needed.into_iter().collect();
        needed.sort_unstable();
        needed
    }

    fn compute(&mut self, graph: &Graph, node: &Node) {
        let value = |id: ValueId| match graph.constant(id) {
            Some(tensor) => Some(Arc::clone(tensor)),
            None => self.known.get(&id).cloned().flatten(),
        };
        let inputs: Vec<_> = node.inputs.iter().map(|input| input.and_then(value)).collect();
        let complete = node.inputs.iter().zip(&inputs).all(|(id, input)| id.is_some() == input.is_some());
        // Whatever is wrong with it is said where constants are folded.
        let tensors = match complete {
            true => compute(graph, node, &inputs, self.options).unwrap_or_default(),
            false => Vec::new(),
        };
        let size: usize = tensors.iter().map(|tensor| tensor.data.len()).sum();
        let kept = self.budget >= size;
        self.budget = self.budget.saturating_sub(size);
        let mut tensors = tensors.into_iter().filter(|_| kept).map(Arc::new);
        for output in &node.outputs {
            let tensor = tensors.next();
            if let Some(output) = output {
                self.known.insert(*output, tensor);
            }
        }
    }
}

/// The nodes of a branch, made part of the graph in place of the node that always takes it.
pub(super) fn inline(graph: &mut Graph, node: &Node, body: &Body) -> Vec<Node> {
    let mut values: Vec<Option<ValueId>> = vec![None; body.graph.values.len()];
    for ((inner, _), at) in body.graph.inputs.iter().zip(&body.captures) {
        values[inner.index()] = node.inputs[*at];
    }
    for (index, value) in body.graph.values.iter().enumerate() {
        if values[index].is_none() {
            let id = graph.add_value(value.name.clone(), value.kind.clone());
            graph.values[id.index()].constant = value.constant.clone();
            values[index] = Some(id);
        }
    }
    let outer = |id: &Option<ValueId>| id.and_then(|id| values[id.index()]);
    let mut nodes: Vec<Node> = body.graph.nodes.clone();
    for node in &mut nodes {
        node.inputs = node.inputs.iter().map(outer).collect();
        node.outputs = node.outputs.iter().map(outer).collect();
    }
    for (output, given) in node.outputs.iter().zip(&body.graph.outputs) {
        if let (Some(output), Some(value)) = (*output, outer(&Some(given.value))) {
            nodes.push(Node::identity(value, output, given.name.clone()));
        }
    }
    nodes
}
