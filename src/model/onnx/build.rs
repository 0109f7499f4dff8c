//! Builds the graph from the decoded messages: names become numbers, and whatever contradicts itself is refused.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    super::{
        Dim, Error, Limits, Port,
        graph::{Attribute, Graph, Node, OpName, Output, Type, Value, ValueId, sort},
    },
    dtype, element_name,
    proto::{
        AttributeProto, DimensionKind, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
        TensorTypeProto, TypeKind, TypeProto, ValueInfoProto, attribute,
    },
    tensor, unreadable,
};

/// Builds the graph of a model.
pub(super) fn graph(model: ModelProto, limits: &Limits) -> Result<Graph, Error> {
    let Some(proto) = model.graph else {
        return Err(unreadable("it holds no graph: it is no ONNX file, or an empty one"));
    };
    let mut builder = Builder { limits, graph: Graph::default(), names: HashMap::new(), parameters: 0 };
    let GraphProto { node, initializer, sparse_initializer, input, output, .. } = proto;
    if let Some(sparse) = sparse_initializer.first() {
        let name = sparse.values.as_ref().map_or("", |values| values.name.as_str());
        return Err(Error::invalid(format!("initializer `{name}`"), "sparse tensors are not supported"));
    }
    for proto in &initializer {
        builder.initializer(proto)?;
    }
    for info in &input {
        builder.input(info)?;
    }
    let imports = imports(&model.opset_import)?;
    builder.nodes(node, &imports)?;
    for info in &output {
        builder.output(info)?;
    }
    let mut graph = builder.graph;
    if graph.outputs.is_empty() {
        return Err(unreadable("its graph has no output"));
    }
    sort(&mut graph, limits)?;
    Ok(graph)
}

/// The version of each imported operator set.
fn imports(protos: &[OperatorSetIdProto]) -> Result<HashMap<String, i64>, Error> {
    let mut imports = HashMap::new();
    for proto in protos {
        let domain = domain(&proto.domain);
        if proto.version < 1 {
            let reason = format!("version {} does not exist", proto.version);
            return Err(Error::invalid(format!("operator set `{domain}`"), reason));
        }
        imports.insert(domain, proto.version);
    }
    Ok(imports)
}

fn domain(name: &str) -> String {
    if name.is_empty() { "ai.onnx".to_owned() } else { name.to_owned() }
}

struct Builder<'l> {
    limits: &'l Limits,
    graph: Graph,
    names: HashMap<String, ValueId>,
    parameters: usize,
}

impl Builder<'_> {
    /// The value of that name, made if it is new.
    fn value(&mut self, name: &str) -> ValueId {
        if let Some(id) = self.names.get(name) {
            return *id;
        }
        let id = ValueId(self.graph.values.len() as u32);
        self.graph.values.push(Value { name: name.to_owned(), kind: Type::Unknown, constant: None });
        self.names.insert(name.to_owned(), id);
        id
    }

    fn initializer(&mut self, proto: &super::proto::TensorProto) -> Result<(), Error> {
        let place = format!("initializer `{}`", proto.name);
        let id = self.value(&proto.name);
        if dtype(proto.data_type).is_none() {
            self.graph.values[id.index()].kind =
                Type::Foreign(format!("a tensor of {}", element_name(proto.data_type)));
            return Ok(());
        }
        let tensor = tensor(proto, &place, self.limits)?;
        self.parameters += tensor.data.len();
        Error::limit("the number of elements of all weights", self.parameters, self.limits.parameters)?;
        let value = &mut self.graph.values[id.index()];
        if value.constant.is_some() {
            return Err(Error::invalid(place, "it is given twice"));
        }
        value.kind = Type::Tensor(tensor.dtype());
        value.constant = Some(Arc::new(tensor));
        Ok(())
    }

    /// An input is a port, unless an initializer of its name makes it a constant.
    fn input(&mut self, info: &ValueInfoProto) -> Result<(), Error> {
        let id = self.value(&info.name);
        if self.graph.values[id.index()].kind != Type::Unknown {
            return if self.graph.inputs.iter().any(|(input, _)| *input == id) {
                Err(Error::invalid(format!("input `{}`", info.name), "it is declared twice"))
            } else {
                Ok(())
            };
        }
        let kind = kind(info.r#type.as_ref());
        self.graph.values[id.index()].kind = kind.clone();
        let shape = shape(info, self.limits)?;
        // A foreign type is refused by the operators that read it, each by name.
        let dtype = if let Type::Tensor(dtype) = kind { dtype } else { super::super::DType::F32 };
        self.graph.inputs.push((id, Port { name: info.name.clone(), dtype, shape, labels: None }));
        Ok(())
    }

    fn output(&mut self, info: &ValueInfoProto) -> Result<(), Error> {
        let Some(&value) = self.names.get(&info.name) else {
            return Err(Error::invalid(format!("output `{}`", info.name), "no node gives it"));
        };
        let shape = shape(info, self.limits)?;
        self.graph.outputs.push(Output { value, name: info.name.clone(), shape, labels: None });
        Ok(())
    }

    fn nodes(&mut self, protos: Vec<NodeProto>, imports: &HashMap<String, i64>) -> Result<(), Error> {
        for (index, proto) in protos.into_iter().enumerate() {
            let node = self.node(proto, index, imports)?;
            for output in node.outputs.iter().flatten() {
                let value = &mut self.graph.values[output.index()];
                if value.kind != Type::Unknown {
                    let reason = format!("it gives `{}`, which is given already", value.name);
                    return Err(Error::invalid(format!("node {}", node.place()), reason));
                }
                value.kind = Type::Foreign("not yet inferred".to_owned());
            }
            self.graph.nodes.push(node);
        }
        let given = |value: &Value| value.kind != Type::Unknown;
        for node in &self.graph.nodes {
            if let Some(input) = node.inputs.iter().flatten().find(|input| !given(self.graph.value(**input)))
            {
                let reason = format!("it reads `{}`, which nothing gives", self.graph.value(*input).name);
                return Err(Error::invalid(format!("node {}", node.place()), reason));
            }
        }
        for node in &self.graph.nodes {
            for output in node.outputs.iter().flatten() {
                self.graph.values[output.index()].kind = Type::Unknown;
            }
        }
        Ok(())
    }

    fn node(
        &mut self,
        proto: NodeProto,
        index: usize,
        imports: &HashMap<String, i64>,
    ) -> Result<Node, Error> {
        let op = OpName { domain: domain(&proto.domain), name: proto.op_type };
        let name = if proto.name.is_empty() { format!("#{index}") } else { proto.name };
        // ONNX Runtime assumes the newest ai.onnx.ml where an exporter forgot to import it.
        let version = imports.get(&op.domain).copied().unwrap_or(1);
        let mut values = |names: &[String]| -> Vec<Option<ValueId>> {
            names.iter().map(|name| (!name.is_empty()).then(|| self.value(name))).collect()
        };
        let (inputs, outputs) = (values(&proto.input), values(&proto.output));
        let mut node = Node { name, op, version, inputs, outputs, attributes: BTreeMap::new() };
        for attribute in proto.attribute {
            let place = format!("node {}, attribute `{}`", node.place(), attribute.name);
            let name = attribute.name.clone();
            node.attributes.insert(name, self.attribute(attribute, &place)?);
        }
        Ok(node)
    }

    fn attribute(&mut self, proto: AttributeProto, place: &str) -> Result<Attribute, Error> {
        let text = |bytes| String::from_utf8(bytes).map_err(|_| Error::invalid(place, "it is not UTF-8"));
        if !proto.ref_attr_name.is_empty() {
            return Ok(Attribute::Foreign("a function's argument".to_owned()));
        }
        Ok(match proto.kind {
            attribute::FLOAT => Attribute::Float(proto.f),
            attribute::INT => Attribute::Int(proto.i),
            attribute::STRING => Attribute::Text(text(proto.s)?),
            attribute::FLOATS => Attribute::Floats(proto.floats),
            attribute::INTS => Attribute::Ints(proto.ints),
            attribute::STRINGS => {
                Attribute::Texts(proto.strings.into_iter().map(text).collect::<Result<_, _>>()?)
            }
            attribute::TENSOR => {
                let Some(proto) = proto.t else { return Err(Error::invalid(place, "it holds no tensor")) };
                if dtype(proto.data_type).is_none() {
                    return Ok(Attribute::Foreign(format!("a tensor of {}", element_name(proto.data_type))));
                }
                let tensor = tensor(&proto, place, self.limits)?;
                self.parameters += tensor.data.len();
                Error::limit(
                    "the number of elements of all weights",
                    self.parameters,
                    self.limits.parameters,
                )?;
                Attribute::Tensor(Arc::new(tensor))
            }
            5 | 10 => Attribute::Foreign("a graph".to_owned()),
            kind => Attribute::Foreign(format!("an attribute of kind {kind}")),
        })
    }
}

/// The type that a port declares.
fn kind(proto: Option<&TypeProto>) -> Type {
    match proto.and_then(|proto| proto.kind.as_ref()) {
        Some(TypeKind::Tensor(TensorTypeProto { elem_type, .. })) => match dtype(*elem_type) {
            Some(dtype) => Type::Tensor(dtype),
            None => Type::Foreign(format!("a tensor of {}", element_name(*elem_type))),
        },
        Some(TypeKind::Sequence(_)) => Type::Foreign("a sequence".to_owned()),
        Some(TypeKind::Map(_)) => Type::Foreign("a map".to_owned()),
        Some(TypeKind::SparseTensor(_)) => Type::Foreign("a sparse tensor".to_owned()),
        Some(TypeKind::Optional(_)) => Type::Foreign("an optional".to_owned()),
        None => Type::Foreign("of no declared type".to_owned()),
    }
}

/// The shape that a port declares; of no dimensions where it declares none.
fn shape(info: &ValueInfoProto, limits: &Limits) -> Result<Vec<Dim>, Error> {
    let Some(TypeProto { kind: Some(TypeKind::Tensor(TensorTypeProto { shape: Some(shape), .. })) }) =
        &info.r#type
    else {
        return Ok(Vec::new());
    };
    Error::limit(format!("`{}`: the number of dimensions", info.name), shape.dim.len(), limits.rank)?;
    let dim = |kind: &Option<DimensionKind>| match kind {
        Some(DimensionKind::Value(size)) => usize::try_from(*size).map_or(Dim::Unknown, Dim::Fixed),
        Some(DimensionKind::Param(name)) if !name.is_empty() => Dim::Named(name.clone()),
        _ => Dim::Unknown,
    };
    Ok(shape.dim.iter().map(|proto| dim(&proto.kind)).collect())
}
