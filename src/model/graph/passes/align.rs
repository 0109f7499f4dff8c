//! Before version 7 the second operand could be laid along the first from a given dimension on. A node of its own does that here, so
//! that every operator stretches its operands in one way.

use std::collections::BTreeMap;

use super::super::{super::operators::ALIGN, Attribute, Graph, Node, OpName, Type};

/// The first version that stretches operands as numpy does.
const NUMPY: i64 = 7;

pub(super) fn align(graph: &mut Graph) {
    for mut node in std::mem::take(&mut graph.nodes) {
        node.bodies_mut().for_each(|body| align(&mut body.graph));
        if let Some(at) = axis(&node)
            && let [first, second @ Some(_)] = node.inputs[..]
        {
            let aligned = graph.add_value(format!("{}/aligned", node.name), Type::Unknown);
            node.inputs[1] = Some(aligned);
            graph.nodes.push(Node {
                name: node.name.clone(),
                op: OpName { domain: ALIGN.0.to_owned(), name: ALIGN.1.to_owned() },
                version: node.version,
                inputs: vec![first, second],
                outputs: vec![Some(aligned)],
                attributes: BTreeMap::from([("axis".to_owned(), Attribute::Int(at))]),
            });
        }
        graph.nodes.push(node);
    }
}

/// The dimension of the first operand at which those of the second begin; none if they end together.
fn axis(node: &Node) -> Option<i64> {
    if node.version >= NUMPY {
        return None;
    }
    match node.op.parts() {
        // One slope for each channel.
        ("ai.onnx", "PRelu") => Some(1),
        (
            "ai.onnx",
            "Add" | "Sub" | "Mul" | "Div" | "Pow" | "And" | "Or" | "Xor" | "Equal" | "Greater" | "Less",
        ) => match (node.attributes.get("broadcast"), node.attributes.get("axis")) {
            (Some(Attribute::Int(1)), Some(Attribute::Int(axis))) => Some(*axis),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::sample::Sample, *};

    #[test]
    fn an_axis_of_old_versions_becomes_a_node() {
        let mut sample = Sample::default();
        let (x, y) = (sample.input("x"), sample.input("y"));
        for version in [6, 7] {
            let sum = sample.node("Add", &[x, y]);
            sample.last().version = version;
            sample.last().attributes.insert("broadcast".into(), Attribute::Int(1));
            sample.last().attributes.insert("axis".into(), Attribute::Int(0));
            sample.output(sum);
        }
        align(&mut sample.graph);
        assert_eq!(sample.operators(), ["Align", "Add", "Add"]);
        assert_eq!(sample.graph.nodes[1].inputs, [Some(x), sample.graph.nodes[0].outputs[0]]);
        assert_eq!(sample.graph.nodes[2].inputs, [Some(x), Some(y)]);
    }
}
