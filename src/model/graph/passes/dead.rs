//! Removes nodes whose results nobody reads.

use super::super::{Graph, body};

pub(super) fn remove(graph: &mut Graph) {
    for node in &mut graph.nodes {
        node.bodies_mut().for_each(|body| remove(&mut body.graph));
        body::prune(node);
    }
    let mut read = vec![false; graph.values.len()];
    for output in &graph.outputs {
        read[output.value.index()] = true;
    }
    let mut alive = vec![false; graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate().rev() {
        if node.outputs.iter().flatten().any(|output| read[output.index()]) {
            alive[index] = true;
            for input in node.inputs.iter().flatten() {
                read[input.index()] = true;
            }
        }
    }
    let mut alive = alive.into_iter();
    graph.nodes.retain(|_| alive.next().unwrap_or(false));
}

#[cfg(test)]
mod tests {
    use super::{super::sample::Sample, *};

    #[test]
    fn only_what_leads_to_an_output_stays() {
        let mut sample = Sample::default();
        let x = sample.input("x");
        let y = sample.node("Relu", &[x]);
        let unread = sample.node("Neg", &[y]);
        sample.node("Abs", &[unread]);
        sample.output(y);
        remove(&mut sample.graph);
        assert_eq!(sample.operators(), ["Relu"]);
    }
}
