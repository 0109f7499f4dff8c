//! Infers the type of every value, and in doing so finds every operator that is not supported.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        Error, Options,
        operators::{Refusal, Spec, knows, types},
    },
    Graph, Node, Type,
};

/// Infers all types, or names every operator that is not supported.
pub(in crate::model) fn infer(graph: &mut Graph, options: &Options) -> Result<(), Error> {
    let mut refused: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for index in 0..graph.nodes.len() {
        let node = &graph.nodes[index];
        let kinds = match judge(graph, node, options) {
            Ok(kinds) => kinds,
            Err(Refusal::Invalid(reason)) => {
                return Err(Error::invalid(format!("node {}", node.place()), reason));
            }
            Err(Refusal::Unsupported(reason)) => {
                refused.entry(node.op.to_string()).or_default().insert(reason);
                vec![Type::Unknown; node.outputs.len()]
            }
        };
        for (output, kind) in graph.nodes[index].outputs.clone().into_iter().zip(kinds) {
            if let Some(output) = output {
                graph.values[output.index()].kind = kind;
            }
        }
    }
    if refused.is_empty() {
        return ports(graph);
    }
    let reason = |(operator, reasons): (&String, &BTreeSet<String>)| {
        let reasons: Vec<&str> = reasons.iter().map(String::as_str).collect();
        format!("{operator}: {}", reasons.join(", "))
    };
    let reasons = refused.iter().map(reason).collect();
    Err(Error::Unsupported { operators: refused.into_keys().collect(), reasons })
}

/// The types that a node gives. They are unknown where an input's are, because of an operator refused before.
fn judge(graph: &Graph, node: &Node, options: &Options) -> Result<Vec<Type>, Refusal> {
    let spec = Spec::new(graph, node, options);
    if !knows(&spec) {
        return Err(Refusal::unsupported("it is not known"));
    }
    if node.inputs.iter().flatten().any(|input| graph.value(*input).kind == Type::Unknown) {
        return Ok(vec![Type::Unknown; node.outputs.len()]);
    }
    let types = types(&spec)?;
    if types.len() < node.outputs.len() {
        return Err(Refusal::invalid(format!("it has {} outputs, not {}", types.len(), node.outputs.len())));
    }
    Ok(types.into_iter().map(Type::Tensor).collect())
}

/// Inputs that nobody reads and outputs that nobody computes have passed no operator.
fn ports(graph: &Graph) -> Result<(), Error> {
    let inputs = graph.inputs.iter().map(|(value, port)| ("input", &port.name, value));
    let outputs = graph.outputs.iter().map(|output| ("output", &output.name, &output.value));
    for (kind, name, value) in inputs.chain(outputs) {
        if let Type::Foreign(given) = &graph.value(*value).kind {
            return Err(Error::invalid(
                format!("{kind} `{name}`"),
                format!("it is {given}, which is not supported"),
            ));
        }
    }
    Ok(())
}
