//! Computes what is the same in every run once, at load.

use std::sync::Arc;

use super::super::{
    super::{Error, Options, Tensor},
    Graph,
    compute::compute,
};

/// Folds within a budget of elements.
pub(super) fn fold(graph: &mut Graph, options: &Options, budget: &mut usize) -> Result<(), Error> {
    let mut nodes = std::mem::take(&mut graph.nodes);
    let mut failed = None;
    nodes.retain_mut(|node| {
        if failed.is_none()
            && let Err(error) = super::simplify_bodies(graph, node, options, budget)
        {
            failed = Some(error);
        }
        let constant = node.inputs.iter().flatten().all(|input| graph.constant(*input).is_some());
        if !constant || failed.is_some() || *budget == 0 {
            return true;
        }
        let input = |input: &Option<_>| input.and_then(|input| graph.constant(input)).cloned();
        let inputs: Vec<Option<Arc<Tensor>>> = node.inputs.iter().map(input).collect();
        match compute(graph, node, &inputs, options) {
            Ok(tensors) => {
                let size: usize = tensors.iter().map(|tensor| tensor.data.len()).sum();
                // What would take more memory than the weights may is computed in each run instead; so is the rest.
                let kept = *budget >= size;
                *budget = budget.saturating_sub(size);
                if !kept {
                    return true;
                }
                for (output, tensor) in node.outputs.iter().zip(tensors) {
                    if let Some(output) = output {
                        graph.values[output.index()].constant = Some(Arc::new(tensor));
                    }
                }
                false
            }
            Err(error) => {
                failed = Some(error);
                true
            }
        }
    });
    graph.nodes = nodes;
    failed.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::{super::sample::Sample, *};
    use crate::model::graph::infer;

    #[test]
    fn a_sum_of_constants_is_a_constant() {
        let mut sample = Sample::default();
        let x = sample.input("x");
        let a = sample.constant(Tensor::f32([2], vec![1.0, 2.0]));
        let sum = sample.node("Add", &[a, a]);
        let y = sample.node("Mul", &[x, sum]);
        sample.output(y);
        let options = Options::default();
        infer(&mut sample.graph, &options).unwrap();
        fold(&mut sample.graph, &options, &mut 100).unwrap();
        assert_eq!(sample.operators(), ["Mul"]);
        assert_eq!(**sample.graph.constant(sum).unwrap(), Tensor::f32([2], vec![2.0, 4.0]));
    }

    #[test]
    fn what_always_fails_is_refused_at_load() {
        let mut sample = Sample::default();
        let a = sample.constant(Tensor::f32([2], vec![1.0, 2.0]));
        let b = sample.constant(Tensor::f32([3], vec![1.0, 2.0, 3.0]));
        let sum = sample.node("Add", &[a, b]);
        sample.output(sum);
        let options = Options::default();
        infer(&mut sample.graph, &options).unwrap();
        let error = fold(&mut sample.graph, &options, &mut 100).unwrap_err();
        let text = "invalid model: node `n0` (ai.onnx:Add): shapes [2] and [3] do not fit each other";
        assert_eq!(error.to_string(), text);
    }
}
