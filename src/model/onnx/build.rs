//! Builds the graph from the decoded messages: names become numbers, and whatever contradicts itself is refused.

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use super::{
    super::{
        DType, Error, Limits, Port,
        graph::{Attribute, Body, Graph, Node, OpName, Output, Type, ValueId, sort},
    },
    attribute::{Weights, value},
    function::{Arguments, Functions},
    port::{kind, shape},
    proto::{
        AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, ValueInfoProto,
        attribute,
    },
    scan::Census,
    unreadable,
};

/// Builds the graph of a model.
pub(super) fn graph(model: ModelProto, census: Census, limits: &Limits) -> Result<Graph, Error> {
    let Some(proto) = model.graph else {
        return Err(unreadable("it holds no graph: it is no ONNX file, or an empty one"));
    };
    let functions = Functions::new(model.functions, census, limits)?;
    let mut shared = Shared { limits, weights: Weights::new(limits), functions };
    let mut scope = Scope::new(imports(&model.opset_import)?);
    let (graph, _) = Builder::new(&mut shared).build(proto, &mut scope)?;
    if graph.outputs.is_empty() {
        return Err(unreadable("its graph has no output"));
    }
    Ok(graph)
}

/// The version of each imported operator set.
pub(super) fn imports(protos: &[OperatorSetIdProto]) -> Result<Imports, Error> {
    let mut imports = HashMap::new();
    for proto in protos {
        let domain = domain(&proto.domain);
        if proto.version < 1 {
            let reason = format!("version {} does not exist", proto.version);
            return Err(Error::invalid(format!("operator set `{domain}`"), reason));
        }
        imports.insert(domain, proto.version);
    }
    Ok(Rc::new(imports))
}

/// An operator set's domain, written out.
pub(super) fn domain(name: &str) -> String {
    if name.is_empty() { "ai.onnx".to_owned() } else { name.to_owned() }
}

pub(super) type Imports = Rc<HashMap<String, i64>>;

/// What the graphs of one model share.
pub(super) struct Shared<'l> {
    limits: &'l Limits,
    weights: Weights<'l>,
    pub(super) functions: Functions<'l>,
}

/// What names mean in a graph, or in one call of a function.
pub(super) struct Scope {
    imports: Imports,
    /// None for an argument that a call leaves out.
    pub(super) names: HashMap<String, Option<ValueId>>,
    /// Of a function: its attributes, and the values that its outputs are to be.
    pub(super) arguments: Option<Rc<Arguments>>,
    pub(super) results: HashMap<String, ValueId>,
    /// What the names of its nodes begin with.
    pub(super) path: String,
    /// Whether names that it does not give are those of the graph around it.
    open: bool,
}

impl Scope {
    pub(super) fn new(imports: Imports) -> Scope {
        Scope {
            imports,
            names: HashMap::new(),
            arguments: None,
            results: HashMap::new(),
            path: String::new(),
            open: false,
        }
    }

    /// That of a graph inside a node.
    fn inner(&self) -> Scope {
        let arguments = self.arguments.clone();
        Scope { arguments, open: true, ..Scope::new(Rc::clone(&self.imports)) }
    }
}

/// Builds one graph.
pub(super) struct Builder<'s, 'l> {
    pub(super) shared: &'s mut Shared<'l>,
    pub(super) graph: Graph,
    /// The names that are read from the graph around this one.
    captures: Vec<(String, ValueId)>,
}

impl<'s, 'l> Builder<'s, 'l> {
    fn new(shared: &'s mut Shared<'l>) -> Self {
        Builder { shared, graph: Graph::default(), captures: Vec::new() }
    }

    /// The graph, and the names that it captures: they are its last inputs.
    fn build(mut self, proto: GraphProto, scope: &mut Scope) -> Result<(Graph, Vec<String>), Error> {
        if let Some(sparse) = proto.sparse_initializer.first() {
            let name = sparse.values.as_ref().map_or("", |values| values.name.as_str());
            return Err(Error::invalid(format!("initializer `{name}`"), "sparse tensors are not supported"));
        }
        for tensor in &proto.initializer {
            self.initializer(tensor, scope)?;
        }
        for info in &proto.input {
            self.input(info, scope)?;
        }
        self.nodes(proto.node, scope)?;
        for info in &proto.output {
            self.output(info, scope)?;
        }
        for (name, id) in &self.captures {
            // Its type is bound once that of what it captures is inferred.
            let port = Port { name: name.clone(), dtype: DType::F32, shape: Vec::new(), labels: None };
            self.graph.inputs.push((*id, port));
        }
        sort(&mut self.graph, self.shared.limits)?;
        Ok((self.graph, self.captures.into_iter().map(|(name, _)| name).collect()))
    }

    fn add(&mut self, name: &str) -> ValueId {
        self.graph.add_value(name.to_owned(), Type::Unknown)
    }

    fn initializer(&mut self, proto: &TensorProto, scope: &mut Scope) -> Result<(), Error> {
        let place = format!("initializer `{}`", proto.name);
        let read = self.shared.weights.read(proto, &place)?;
        if scope.names.contains_key(&proto.name) {
            return Err(Error::invalid(place, "it is given twice"));
        }
        let id = match read {
            Ok(tensor) => self.graph.add_constant(proto.name.clone(), tensor),
            Err(kind) => self.graph.add_value(proto.name.clone(), Type::Foreign(kind)),
        };
        scope.names.insert(proto.name.clone(), Some(id));
        Ok(())
    }

    /// An input is a port, unless an initializer of its name makes it a constant.
    fn input(&mut self, info: &ValueInfoProto, scope: &mut Scope) -> Result<(), Error> {
        if let Some(known) = scope.names.get(&info.name) {
            return if self.graph.inputs.iter().any(|(input, _)| Some(*input) == *known) {
                Err(Error::invalid(format!("input `{}`", info.name), "it is declared twice"))
            } else {
                Ok(())
            };
        }
        let kind = kind(info.r#type.as_ref());
        let shape = shape(info, self.shared.limits)?;
        // A foreign type is refused by the operators that read it, each by name.
        let dtype = if let Type::Tensor(dtype) = kind { dtype } else { DType::F32 };
        let id = self.graph.add_value(info.name.clone(), kind);
        self.graph.inputs.push((id, Port { name: info.name.clone(), dtype, shape, labels: None }));
        scope.names.insert(info.name.clone(), Some(id));
        Ok(())
    }

    fn output(&mut self, info: &ValueInfoProto, scope: &mut Scope) -> Result<(), Error> {
        let place = format!("output `{}`", info.name);
        let known = scope.names.get(&info.name).copied().flatten();
        let value = match known {
            Some(value) => Some(value),
            None if scope.open => self.read(&info.name, scope, &place)?,
            None => None,
        };
        let Some(value) = value else { return Err(Error::invalid(place, "no node gives it")) };
        let shape = shape(info, self.shared.limits)?;
        self.graph.outputs.push(Output { value, name: info.name.clone(), shape, labels: None });
        Ok(())
    }

    /// The nodes may come in any order: first what all of them give is named, then what they read.
    pub(super) fn nodes(&mut self, protos: Vec<NodeProto>, scope: &mut Scope) -> Result<(), Error> {
        let place = |proto: &NodeProto, index| {
            let op = OpName { domain: domain(&proto.domain), name: proto.op_type.clone() };
            format!("node `{}` ({op})", name(proto, index, scope))
        };
        let places: Vec<String> =
            protos.iter().enumerate().map(|(index, proto)| place(proto, index)).collect();
        for (proto, place) in protos.iter().zip(&places) {
            for output in proto.output.iter().filter(|output| !output.is_empty()) {
                if scope.names.contains_key(output) {
                    let reason = format!("it gives `{output}`, which is given already");
                    return Err(Error::invalid(place, reason));
                }
                let id = match scope.results.get(output) {
                    Some(id) => *id,
                    None => self.add(output),
                };
                scope.names.insert(output.clone(), Some(id));
            }
        }
        for (index, (proto, place)) in protos.into_iter().zip(places).enumerate() {
            match self.shared.functions.find(&proto) {
                Some(number) => self.call(number, proto, index, &place, scope)?,
                None => {
                    let node = self.node(proto, index, &place, scope)?;
                    self.graph.nodes.push(node);
                }
            }
        }
        Ok(())
    }

    /// The value of that name; none where there is none, by intent.
    pub(super) fn read(
        &mut self,
        name: &str,
        scope: &mut Scope,
        place: &str,
    ) -> Result<Option<ValueId>, Error> {
        if name.is_empty() {
            return Ok(None);
        }
        if let Some(known) = scope.names.get(name) {
            return Ok(*known);
        }
        if !scope.open {
            return Err(Error::invalid(place, format!("it reads `{name}`, which nothing gives")));
        }
        let id = self.add(name);
        scope.names.insert(name.to_owned(), Some(id));
        self.captures.push((name.to_owned(), id));
        Ok(Some(id))
    }

    fn node(
        &mut self,
        proto: NodeProto,
        index: usize,
        place: &str,
        scope: &mut Scope,
    ) -> Result<Node, Error> {
        let name = name(&proto, index, scope);
        let op = OpName { domain: domain(&proto.domain), name: proto.op_type };
        // ONNX Runtime assumes the newest ai.onnx.ml where an exporter forgot to import it.
        let version = scope.imports.get(&op.domain).copied().unwrap_or(1);
        let mut inputs = Vec::with_capacity(proto.input.len());
        for input in &proto.input {
            inputs.push(self.read(input, scope, place)?);
        }
        let given = |name: &String| scope.names.get(name).copied().flatten();
        let outputs = proto.output.iter().map(given).collect();
        let mut node = Node { name, op, version, inputs, outputs, attributes: BTreeMap::new() };
        let own = node.inputs.len();
        for attribute in proto.attribute {
            let Some(attribute) = self.argument(attribute, scope)? else { continue };
            let place = format!("{place}, attribute `{}`", attribute.name);
            let name = attribute.name.clone();
            let value = match attribute.kind {
                // What a graph given to a function captures is not in the function.
                attribute::GRAPH if attribute.ref_attr_name.is_empty() => {
                    self.body(attribute, own, &mut node.inputs, scope, &place)?
                }
                _ => value(attribute, &place, &mut self.shared.weights)?,
            };
            node.attributes.insert(name, value);
        }
        Ok(node)
    }

    /// A graph inside a node. What it captures becomes inputs of the node, after its own.
    fn body(
        &mut self,
        proto: AttributeProto,
        own: usize,
        inputs: &mut Vec<Option<ValueId>>,
        scope: &mut Scope,
        place: &str,
    ) -> Result<Attribute, Error> {
        let Some(graph) = proto.g else { return Err(Error::invalid(place, "it holds no graph")) };
        let (graph, names) = Builder::new(self.shared).build(*graph, &mut scope.inner())?;
        let mut captures = Vec::with_capacity(names.len());
        for name in names {
            let id = self.read(&name, scope, place)?;
            if id.is_none() {
                return Err(Error::invalid(place, format!("it reads `{name}`, which is not given")));
            }
            captures.push(inputs.len());
            inputs.push(id);
        }
        Ok(Attribute::Graph(Box::new(Body { graph, own, captures })))
    }
}

/// A node's name, or its number where it has none.
pub(super) fn name(proto: &NodeProto, index: usize, scope: &Scope) -> String {
    match proto.name.as_str() {
        "" => format!("{}#{index}", scope.path),
        name => format!("{}{name}", scope.path),
    }
}
