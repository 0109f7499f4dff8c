//! Small graphs for the tests of the passes.

use std::collections::BTreeMap;

use super::super::{
    super::{DType, Port, Tensor},
    Graph, Node, OpName, Output, Type, Value, ValueId,
};

#[derive(Default)]
pub(super) struct Sample {
    pub(super) graph: Graph,
}

impl Sample {
    fn value(&mut self, name: String, kind: Type) -> ValueId {
        self.graph.values.push(Value { name, kind, constant: None });
        ValueId(self.graph.values.len() as u32 - 1)
    }

    pub(super) fn input(&mut self, name: &str) -> ValueId {
        let id = self.value(name.to_owned(), Type::Tensor(DType::F32));
        let port = Port { name: name.to_owned(), dtype: DType::F32, shape: Vec::new(), labels: None };
        self.graph.inputs.push((id, port));
        id
    }

    pub(super) fn constant(&mut self, tensor: Tensor) -> ValueId {
        self.graph.add_constant("constant".to_owned(), tensor)
    }

    /// Adds a node of one output, named by its number.
    pub(super) fn node(&mut self, op: &str, inputs: &[ValueId]) -> ValueId {
        let name = format!("n{}", self.graph.nodes.len());
        let output = self.value(format!("{name}/out"), Type::Unknown);
        self.graph.nodes.push(Node {
            name,
            op: OpName { domain: "ai.onnx".to_owned(), name: op.to_owned() },
            version: 20,
            inputs: inputs.iter().copied().map(Some).collect(),
            outputs: vec![Some(output)],
            attributes: BTreeMap::new(),
        });
        output
    }

    pub(super) fn last(&mut self) -> &mut Node {
        self.graph.nodes.last_mut().expect("a node was added")
    }

    pub(super) fn output(&mut self, value: ValueId) {
        let name = self.graph.value(value).name.clone();
        self.graph.outputs.push(Output { value, name, shape: Vec::new(), labels: None });
    }

    pub(super) fn operators(&self) -> Vec<&str> {
        self.graph.nodes.iter().map(|node| node.op.name.as_str()).collect()
    }
}
