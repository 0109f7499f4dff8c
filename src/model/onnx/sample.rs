//! Small files for tests.

use prost::Message;

use super::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorShapeProto, TensorTypeProto,
    TypeKind, TypeProto, ValueInfoProto, attribute, element,
};
use crate::model::{Error, Format, Model, Options};

pub(in crate::model) fn port(name: &str, elem_type: i32) -> ValueInfoProto {
    let tensor = TensorTypeProto { elem_type, shape: Some(TensorShapeProto::default()) };
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { kind: Some(TypeKind::Tensor(tensor)) }) }
}

pub(in crate::model) fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        input: inputs.iter().map(ToString::to_string).collect(),
        output: vec![output.to_owned()],
        name: format!("make_{output}"),
        op_type: op.to_owned(),
        ..NodeProto::default()
    }
}

pub(in crate::model) fn file(graph: GraphProto) -> Vec<u8> {
    functions::file(graph, Vec::new())
}

/// A graph from `x` to `y`.
pub(in crate::model) fn graph(node: Vec<NodeProto>) -> GraphProto {
    GraphProto {
        node,
        input: vec![port("x", element::FLOAT)],
        output: vec![port("y", element::FLOAT)],
        ..GraphProto::default()
    }
}

/// A graph as an attribute. Without inputs of its own, `x` is that of the graph around it.
pub(in crate::model) fn body(name: &str, graph: GraphProto) -> AttributeProto {
    let g = Some(Box::new(GraphProto { input: Vec::new(), ..graph }));
    AttributeProto { name: name.to_owned(), kind: attribute::GRAPH, g, ..AttributeProto::default() }
}

pub(in crate::model) fn refused(graph: GraphProto) -> Error {
    Model::load(&file(graph), Format::Onnx, &Options::default()).expect_err("it is refused")
}

/// Files with functions.
pub(in crate::model) mod functions {
    use super::*;
    use crate::model::onnx::proto::FunctionProto;

    fn imports() -> Vec<OperatorSetIdProto> {
        let import = |domain: &str, version| OperatorSetIdProto { domain: domain.to_owned(), version };
        vec![import("", 20), import("local", 1)]
    }

    pub(in crate::model) fn call(name: &str, inputs: &[&str], output: &str) -> NodeProto {
        NodeProto { domain: "local".to_owned(), ..node(name, inputs, output) }
    }

    pub(in crate::model) fn function(
        name: &str,
        inputs: &[&str],
        output: &str,
        node: Vec<NodeProto>,
    ) -> FunctionProto {
        FunctionProto {
            name: name.to_owned(),
            domain: "local".to_owned(),
            input: inputs.iter().map(ToString::to_string).collect(),
            output: vec![output.to_owned()],
            node,
            opset_import: imports(),
            ..FunctionProto::default()
        }
    }

    pub(in crate::model) fn file(graph: GraphProto, functions: Vec<FunctionProto>) -> Vec<u8> {
        let model = ModelProto { ir_version: 8, opset_import: imports(), graph: Some(graph), functions };
        model.encode_to_vec()
    }
}
