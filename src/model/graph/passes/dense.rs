//! Makes one layer of a product with constant weights, the sum of a constant bias, and an activation.

use std::collections::BTreeMap;

use super::super::{
    super::{Data, Tensor, operators::DENSE},
    Attribute, Graph, Node, OpName, ValueId,
};

pub(super) fn fuse(graph: &mut Graph) {
    for index in 0..graph.nodes.len() {
        match graph.nodes[index].op.parts() {
            ("ai.onnx", "MatMul") => product(graph, index),
            ("ai.onnx", "Gemm") => gemm(graph, index),
            _ => {}
        }
    }
    let mut readers = Readers::new(graph);
    for index in 0..graph.nodes.len() {
        if graph.nodes[index].op.parts() == DENSE {
            add_bias(graph, index, &mut readers);
            activate(graph, index, &mut readers);
        }
    }
    graph.nodes.retain(|node| !node.outputs.is_empty());
}

/// Who reads each value, where that is one node and nobody else.
struct Readers(Vec<Option<usize>>);

impl Readers {
    fn new(graph: &Graph) -> Readers {
        let uses = graph.uses();
        let mut readers = vec![None; graph.values.len()];
        for (index, node) in graph.nodes.iter().enumerate() {
            for input in node.inputs.iter().flatten().filter(|input| uses[input.index()] == 1) {
                readers[input.index()] = Some(index);
            }
        }
        Readers(readers)
    }

    /// The only reader of what a node gives.
    fn of(&self, node: &Node) -> Option<usize> {
        self.0[node.outputs.first().copied().flatten()?.index()]
    }
}

fn layer(node: &mut Node, inputs: Vec<Option<ValueId>>) {
    node.op = OpName { domain: DENSE.0.to_owned(), name: DENSE.1.to_owned() };
    node.inputs = inputs;
    node.attributes = BTreeMap::new();
}

/// The constant that an input is, if it is a matrix of floats.
fn matrix(graph: &Graph, input: Option<ValueId>) -> Option<&Tensor> {
    let tensor = graph.constant(input?)?;
    (tensor.shape.len() == 2 && tensor.dtype().is_float()).then_some(tensor)
}

fn product(graph: &mut Graph, index: usize) {
    let [Some(x), weights] = graph.nodes[index].inputs[..] else { return };
    if matrix(graph, weights).is_some() && graph.constant(x).is_none() {
        layer(&mut graph.nodes[index], vec![Some(x), weights]);
    }
}

fn gemm(graph: &mut Graph, index: usize) {
    let node = &graph.nodes[index];
    let flag = |name: &str| matches!(node.attributes.get(name), Some(Attribute::Int(value)) if *value != 0);
    let factor = |name: &str| match node.attributes.get(name) {
        Some(Attribute::Float(value)) => *value,
        _ => 1.0,
    };
    let (Some(Some(x)), Some(weights)) = (node.inputs.first().copied(), node.inputs.get(1).copied()) else {
        return;
    };
    let Some(weights) = matrix(graph, weights) else { return };
    if flag("transA") || graph.constant(x).is_some() {
        return;
    }
    let (alpha, beta) = (factor("alpha"), factor("beta"));
    let weights = scaled(&if flag("transB") { turned(weights) } else { weights.clone() }, alpha);
    let columns = weights.shape[1];
    let bias = match node.inputs.get(2).copied().flatten() {
        None => None,
        Some(bias) => match graph.constant(bias).and_then(|bias| row(bias, columns)) {
            Some(bias) if bias.dtype() == weights.dtype() => Some(scaled(&bias, beta)),
            _ => return,
        },
    };
    let name = node.name.clone();
    let mut inputs = vec![Some(x), Some(graph.add_constant(format!("{name}/weights"), weights))];
    if let Some(bias) = bias {
        inputs.push(Some(graph.add_constant(format!("{name}/bias"), bias)));
    }
    layer(&mut graph.nodes[index], inputs);
}

/// A bias that is the same for every row, as one row.
fn row(bias: &Tensor, columns: usize) -> Option<Tensor> {
    if bias.shape.len() > 2 || (bias.shape.len() == 2 && bias.shape[0] != 1) {
        return None;
    }
    let data = match &bias.data {
        Data::F32(data) if data.len() == columns => Data::F32(data.clone()),
        Data::F64(data) if data.len() == columns => Data::F64(data.clone()),
        Data::F32(data) if data.len() == 1 => Data::F32(vec![data[0]; columns]),
        Data::F64(data) if data.len() == 1 => Data::F64(vec![data[0]; columns]),
        _ => return None,
    };
    Some(Tensor { shape: vec![columns], data })
}

fn turned(matrix: &Tensor) -> Tensor {
    let (rows, columns) = (matrix.shape[0], matrix.shape[1]);
    let from = |index: usize| (index % rows) * columns + index / rows;
    let data = match &matrix.data {
        Data::F32(data) => Data::F32((0..data.len()).map(|index| data[from(index)]).collect()),
        Data::F64(data) => Data::F64((0..data.len()).map(|index| data[from(index)]).collect()),
        other => other.clone(),
    };
    Tensor { shape: vec![columns, rows], data }
}

fn scaled(tensor: &Tensor, factor: f32) -> Tensor {
    let data = match &tensor.data {
        Data::F32(data) => Data::F32(data.iter().map(|value| value * factor).collect()),
        Data::F64(data) => Data::F64(data.iter().map(|value| value * f64::from(factor)).collect()),
        other => other.clone(),
    };
    Tensor { shape: tensor.shape.clone(), data }
}

/// Takes over the sum that follows a layer without bias.
fn add_bias(graph: &mut Graph, index: usize, readers: &mut Readers) {
    let node = &graph.nodes[index];
    let (Some(reader), &[Some(_), Some(weights)]) = (readers.of(node), &node.inputs[..]) else { return };
    let sum = &graph.nodes[reader];
    if sum.op.parts() != ("ai.onnx", "Add") || sum.inputs.len() != 2 {
        return;
    }
    let other = sum.inputs.iter().copied().flatten().find(|input| Some(*input) != node.outputs[0]);
    let Some(bias) = other.and_then(|other| graph.constant(other)) else { return };
    let columns = graph.constant(weights).map_or(0, |weights| weights.shape[1]);
    // A bias that would widen the layer, or be stretched by it, is no bias.
    if bias.shape.last() != Some(&columns) {
        return;
    }
    let wide = bias.shape.len() == 2;
    let Some(bias) = row(bias, columns) else { return };
    let name = format!("{}/bias", node.name);
    let bias = graph.add_constant(name, bias);
    readers.0.push(None);
    let outputs = std::mem::take(&mut graph.nodes[reader].outputs);
    let node = &mut graph.nodes[index];
    node.inputs.push(Some(bias));
    node.attributes.insert("wide".to_owned(), Attribute::Int(i64::from(wide)));
    node.outputs = outputs;
}

/// Takes over the activation that follows a layer.
fn activate(graph: &mut Graph, index: usize, readers: &mut Readers) {
    let Some(reader) = readers.of(&graph.nodes[index]) else { return };
    let name = match graph.nodes[reader].op.parts() {
        ("ai.onnx", name @ ("Relu" | "Sigmoid" | "Tanh")) => name.to_owned(),
        _ => return,
    };
    let outputs = std::mem::take(&mut graph.nodes[reader].outputs);
    let node = &mut graph.nodes[index];
    node.attributes.insert("activation".to_owned(), Attribute::Text(name));
    node.outputs = outputs;
}

#[cfg(test)]
mod tests {
    use super::{super::sample::Sample, *};

    #[test]
    fn product_sum_and_activation_become_one_layer() {
        let mut sample = Sample::default();
        let x = sample.input("x");
        let weights = sample.constant(Tensor::f32([2, 3], vec![1.0; 6]));
        let bias = sample.constant(Tensor::f32([1, 3], vec![0.5; 3]));
        let product = sample.node("MatMul", &[x, weights]);
        let sum = sample.node("Add", &[bias, product]);
        let y = sample.node("Relu", &[sum]);
        sample.output(y);
        fuse(&mut sample.graph);
        assert_eq!(sample.operators(), ["Dense"]);
        let node = &sample.graph.nodes[0];
        assert_eq!(node.outputs, [Some(y)]);
        assert_eq!(node.attributes["activation"], Attribute::Text("Relu".into()));
        assert_eq!(node.attributes["wide"], Attribute::Int(1));
        let bias = sample.graph.constant(node.inputs[2].unwrap()).unwrap();
        assert_eq!(**bias, Tensor::f32([3], vec![0.5; 3]));
    }

    #[test]
    fn a_product_that_others_read_keeps_its_own_result() {
        let mut sample = Sample::default();
        let x = sample.input("x");
        let weights = sample.constant(Tensor::f32([2, 3], vec![1.0; 6]));
        let bias = sample.constant(Tensor::f32([3], vec![0.5; 3]));
        let product = sample.node("MatMul", &[x, weights]);
        let sum = sample.node("Add", &[product, bias]);
        sample.output(sum);
        sample.output(product);
        fuse(&mut sample.graph);
        assert_eq!(sample.operators(), ["Dense", "Add"]);
    }

    #[test]
    fn a_gemm_is_a_layer_with_its_factors_in_the_weights() {
        let mut sample = Sample::default();
        let x = sample.input("x");
        let weights = sample.constant(Tensor::f32([2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        let bias = sample.constant(Tensor::f32([1], vec![4.0]));
        let y = sample.node("Gemm", &[x, weights, bias]);
        sample.last().attributes.insert("alpha".into(), Attribute::Float(2.0));
        sample.last().attributes.insert("beta".into(), Attribute::Float(0.5));
        sample.last().attributes.insert("transB".into(), Attribute::Int(1));
        sample.output(y);
        fuse(&mut sample.graph);
        let node = &sample.graph.nodes[0];
        let constant = |input: usize| (**sample.graph.constant(node.inputs[input].unwrap()).unwrap()).clone();
        assert_eq!(constant(1), Tensor::f32([3, 2], vec![2.0, 8.0, 4.0, 10.0, 6.0, 12.0]));
        assert_eq!(constant(2), Tensor::f32([2], vec![2.0, 2.0]));
    }
}
