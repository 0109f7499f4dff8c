//! Removes operators that give what they take: Identity, Dropout outside of training, casts to the same type.

use super::super::{super::onnx, Attribute, Graph, Node, Type};

pub(super) fn remove(graph: &mut Graph) {
    let uses = graph.uses();
    let mut index = 0;
    while index < graph.nodes.len() {
        let node = &graph.nodes[index];
        let edge = (node.inputs.first().copied().flatten(), node.outputs.first().copied().flatten());
        match edge {
            (Some(input), Some(output)) if is_identity(graph, node, &uses) => {
                graph.nodes.remove(index);
                graph.redirect(output, input);
            }
            _ => index += 1,
        }
    }
}

fn is_identity(graph: &Graph, node: &Node, uses: &[usize]) -> bool {
    match node.op.parts() {
        ("ai.onnx", "Identity") => true,
        // Training is refused where types are inferred.
        ("ai.onnx", "Dropout") => node.outputs.iter().skip(1).flatten().all(|mask| uses[mask.index()] == 0),
        ("ai.onnx", "Cast") => {
            let to = match node.attributes.get("to") {
                Some(Attribute::Int(to)) => i32::try_from(*to).ok().and_then(onnx::dtype),
                _ => None,
            };
            let from = node.inputs.first().copied().flatten().map(|input| &graph.value(input).kind);
            matches!((from, to), (Some(Type::Tensor(from)), Some(to)) if *from == to)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::sample::Sample, *};

    #[test]
    fn casts_to_another_type_stay() {
        let mut sample = Sample::default();
        let x = sample.input("x");
        let same = sample.node("Cast", &[x]);
        sample.last().attributes.insert("to".into(), Attribute::Int(1));
        let copy = sample.node("Identity", &[same]);
        let other = sample.node("Cast", &[copy]);
        sample.last().attributes.insert("to".into(), Attribute::Int(7));
        sample.output(other);
        sample.output(copy);
        remove(&mut sample.graph);
        assert_eq!(sample.operators(), ["Cast"]);
        assert_eq!(sample.graph.nodes[0].inputs, [Some(x)]);
        assert_eq!(sample.graph.outputs[1].value, x);
    }
}
