//! Infers the type of every value, and in doing so finds every operator that is not supported.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    super::{
        Error, Options,
        operators::{Refusal, Spec, formals, held, knows, types},
    },
    Body, Graph, Node, Type, body,
    branch::{Fixed, inline},
};

/// Infers all types, or names every operator that is not supported.
pub(in crate::model) fn infer(graph: &mut Graph, options: &Options) -> Result<(), Error> {
    let mut inference = Inference { options, refused: BTreeMap::new() };
    inference.graph(graph)?;
    let refused = inference.refused;
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

struct Inference<'o> {
    options: &'o Options,
    /// Operators that are not supported, and why.
    refused: BTreeMap<String, BTreeSet<String>>,
}

impl Inference<'_> {
    /// Infers the types of one graph; of those inside of its nodes, before what the nodes give.
    fn graph(&mut self, graph: &mut Graph) -> Result<(), Error> {
        let mut fixed = Fixed::new(self.options);
        let mut waiting = VecDeque::from(std::mem::take(&mut graph.nodes));
        while let Some(mut node) = waiting.pop_front() {
            if let Some(branch) = fixed.branch(graph, &node) {
                for node in inline(graph, &node, branch).into_iter().rev() {
                    waiting.push_front(node);
                }
                continue;
            }
            if let (("ai.onnx", "Constant"), Some(output)) =
                (node.op.parts(), node.outputs.first().copied().flatten())
                && let Ok(tensor) = held(&Spec::new(graph, &node, self.options))
            {
                // What reads it may ask for it from here on.
                graph.set_constant(output, tensor);
                continue;
            }
            let kinds = self.node(graph, &mut node)?;
            for (output, kind) in node.outputs.iter().zip(kinds) {
                if let Some(output) = output {
                    graph.values[output.index()].kind = kind;
                }
            }
            graph.nodes.push(node);
            fixed.note(graph);
        }
        Ok(())
    }

    /// The types that a node gives; unknown ones if it is refused.
    fn node(&mut self, graph: &Graph, node: &mut Node) -> Result<Vec<Type>, Error> {
        if node.bodies().next().is_some() {
            match formals(&Spec::new(graph, node, self.options)) {
                Ok(formals) => body::bind(graph, node, &formals),
                Err(refusal) => return self.refuse(node, refusal),
            }
            for body in node.bodies_mut() {
                self.graph(&mut body.graph)?;
            }
        }
        match judge(graph, node, self.options) {
            Ok(kinds) => Ok(kinds),
            Err(refusal) => self.refuse(node, refusal),
        }
    }

    fn refuse(&mut self, node: &Node, refusal: Refusal) -> Result<Vec<Type>, Error> {
        match refusal {
            Refusal::Invalid(reason) => Err(Error::invalid(format!("node {}", node.place()), reason)),
            Refusal::Unsupported(reason) => {
                self.refused.entry(node.op.to_string()).or_default().insert(reason);
                Ok(vec![Type::Unknown; node.outputs.len()])
            }
        }
    }
}

/// The types that a node gives. They are unknown where an input's are, or what a graph inside of it gives, because of an
/// operator refused before.
fn judge(graph: &Graph, node: &Node, options: &Options) -> Result<Vec<Type>, Refusal> {
    let spec = Spec::new(graph, node, options);
    if !knows(&spec) {
        return Err(Refusal::unsupported("it is not known"));
    }
    let unknown = |body: &Body| {
        body.graph.outputs.iter().any(|output| body.graph.value(output.value).kind == Type::Unknown)
    };
    if node.inputs.iter().flatten().any(|input| graph.value(*input).kind == Type::Unknown)
        || node.bodies().any(unknown)
    {
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
