//! Removes ZipMap: the output keeps the matrix it was made of, and its class labels. Names the classes of
//! probabilities that no ZipMap names, too.

use super::super::{
    super::{Dim, Labels},
    Attribute, Graph, Node, ValueId,
};

pub(super) fn remove(graph: &mut Graph) {
    let givers = graph.givers();
    for index in 0..graph.outputs.len() {
        let value = graph.outputs[index].value;
        let Some(giver) = givers[value.index()].map(|giver| &graph.nodes[giver]) else { continue };
        let (value, labels) = match giver.op.parts() {
            ("ai.onnx.ml", "ZipMap") => match (giver.inputs.first().copied().flatten(), zipmap_labels(giver))
            {
                (Some(input), Some(labels)) => {
                    graph.outputs[index].shape = vec![Dim::Unknown, Dim::Fixed(labels.len())];
                    (input, Some(labels))
                }
                _ => continue,
            },
            _ => (value, classifier_labels(graph, &givers, value)),
        };
        graph.outputs[index].value = value;
        if labels.is_some() {
            graph.outputs[index].labels = labels;
        }
    }
}

fn zipmap_labels(node: &Node) -> Option<Labels> {
    match (node.attributes.get("classlabels_strings"), node.attributes.get("classlabels_int64s")) {
        (Some(Attribute::Texts(labels)), _) if !labels.is_empty() => Some(Labels::Strings(labels.clone())),
        (_, Some(Attribute::Ints(labels))) if !labels.is_empty() => Some(Labels::Ints(labels.clone())),
        _ => None,
    }
}

/// The classes of a classifier's scores, which Normalizers may have passed.
fn classifier_labels(graph: &Graph, givers: &[Option<usize>], mut value: ValueId) -> Option<Labels> {
    let (node, ints) = loop {
        let node = &graph.nodes[givers[value.index()]?];
        match node.op.parts() {
            ("ai.onnx.ml", "Normalizer") => value = (*node.inputs.first()?)?,
            ("ai.onnx.ml", "TreeEnsembleClassifier") => break (node, "classlabels_int64s"),
            ("ai.onnx.ml", "LinearClassifier") => break (node, "classlabels_ints"),
            _ => return None,
        }
    };
    if node.outputs.get(1) != Some(&Some(value)) {
        return None;
    }
    match (node.attributes.get("classlabels_strings"), node.attributes.get(ints)) {
        (Some(Attribute::Texts(labels)), _) if !labels.is_empty() => Some(Labels::Strings(labels.clone())),
        (_, Some(Attribute::Ints(labels))) if !labels.is_empty() => Some(Labels::Ints(labels.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::sample::Sample, *};

    #[test]
    fn the_output_is_the_matrix_with_its_labels() {
        let mut sample = Sample::default();
        let x = sample.input("x");
        let map = sample.node("ZipMap", &[x]);
        sample.last().op.domain = "ai.onnx.ml".into();
        sample.last().attributes.insert("classlabels_int64s".into(), Attribute::Ints(vec![3, 5]));
        sample.output(map);
        remove(&mut sample.graph);
        let output = &sample.graph.outputs[0];
        assert_eq!((output.value, output.labels.clone()), (x, Some(Labels::Ints(vec![3, 5]))));
        assert_eq!(output.shape, [Dim::Unknown, Dim::Fixed(2)]);
    }
}
