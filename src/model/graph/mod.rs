//! The engine's own typed graph. Values are numbered; names are kept for ports and messages.

mod body;
mod branch;
mod compute;
pub(super) mod passes;
mod sort;
mod types;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use super::{DType, Dim, Labels, Port, Tensor, forest::Ensemble, operators::Link};

pub(super) use body::Body;
pub(super) use sort::sort;
pub(super) use types::infer;

/// A value that flows along the graph's edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ValueId(pub(super) u32);

impl ValueId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// What is known of a value's type before it is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Not inferred yet.
    Unknown,
    /// A tensor of a type that the engine has.
    Tensor(DType),
    /// Anything else, in words.
    Foreign(String),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Value {
    pub(super) name: String,
    pub(super) kind: Type,
    /// The tensor itself, where it is the same in every run.
    pub(super) constant: Option<Arc<Tensor>>,
}

/// An attribute of a node.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Attribute {
    Float(f32),
    Int(i64),
    Text(String),
    Tensor(Arc<Tensor>),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    Texts(Vec<String>),
    Graph(Box<Body>),
    Ensemble(Arc<Ensemble>),
    Link(Link),
    /// A kind the engine does not read, in words.
    Foreign(String),
}

impl Attribute {
    fn body_mut(&mut self) -> Option<&mut Body> {
        match self {
            Attribute::Graph(body) => Some(body),
            _ => None,
        }
    }
}

/// An operator's domain and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct OpName {
    /// `ai.onnx` is written out, never empty.
    pub(super) domain: String,
    pub(super) name: String,
}

impl OpName {
    /// Domain and name as a pattern can match them.
    pub(super) fn parts(&self) -> (&str, &str) {
        (&self.domain, &self.name)
    }
}

impl fmt::Display for OpName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.domain.trim() {
            // An operator of the engine's own.
            "" => f.write_str(&self.name),
            domain => write!(f, "{domain}:{}", self.name),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) op: OpName,
    /// Version of the operator set that the model imports for its domain.
    pub(super) version: i64,
    pub(super) inputs: Vec<Option<ValueId>>,
    pub(super) outputs: Vec<Option<ValueId>>,
    pub(super) attributes: BTreeMap<String, Attribute>,
}

impl Node {
    /// One that gives what it takes.
    pub(super) fn identity(input: ValueId, output: ValueId, name: String) -> Node {
        Node {
            name,
            op: OpName { domain: "ai.onnx".to_owned(), name: "Identity".to_owned() },
            version: 1,
            inputs: vec![Some(input)],
            outputs: vec![Some(output)],
            attributes: BTreeMap::new(),
        }
    }

    /// The graphs inside of it.
    pub(super) fn bodies(&self) -> impl Iterator<Item = &Body> {
        self.attributes.values().filter_map(|attribute| match attribute {
            Attribute::Graph(body) => Some(&**body),
            _ => None,
        })
    }

    fn bodies_mut(&mut self) -> impl Iterator<Item = &mut Body> {
        self.attributes.values_mut().filter_map(Attribute::body_mut)
    }

    /// How messages name it.
    pub(super) fn place(&self) -> String {
        format!("`{}` ({})", self.name, self.op)
    }
}

/// An output of the graph.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Output {
    pub(super) value: ValueId,
    /// As the file declares it. Its type is what the value turns out to have.
    pub(super) name: String,
    pub(super) shape: Vec<Dim>,
    pub(super) labels: Option<Labels>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Graph {
    pub(super) values: Vec<Value>,
    /// In an order in which each node comes after those it reads from.
    pub(super) nodes: Vec<Node>,
    pub(super) inputs: Vec<(ValueId, Port)>,
    pub(super) outputs: Vec<Output>,
}

impl Graph {
    pub(super) fn value(&self, id: ValueId) -> &Value {
        &self.values[id.index()]
    }

    pub(super) fn constant(&self, id: ValueId) -> Option<&Arc<Tensor>> {
        self.values[id.index()].constant.as_ref()
    }

    /// Adds a value that something gives.
    pub(super) fn add_value(&mut self, name: String, kind: Type) -> ValueId {
        self.values.push(Value { name, kind, constant: None });
        ValueId(self.values.len() as u32 - 1)
    }

    /// Adds a value that is the same in every run.
    pub(super) fn add_constant(&mut self, name: String, tensor: Tensor) -> ValueId {
        let id = self.add_value(name, Type::Unknown);
        self.set_constant(id, Arc::new(tensor));
        id
    }

    /// Makes a value the same in every run.
    pub(super) fn set_constant(&mut self, id: ValueId, tensor: Arc<Tensor>) {
        let value = &mut self.values[id.index()];
        value.kind = Type::Tensor(tensor.dtype());
        value.constant = Some(tensor);
    }

    /// Lets everyone who reads `from` read `to`.
    pub(super) fn redirect(&mut self, from: ValueId, to: ValueId) {
        for input in self.nodes.iter_mut().flat_map(|node| &mut node.inputs).flatten() {
            if *input == from {
                *input = to;
            }
        }
        for output in &mut self.outputs {
            if output.value == from {
                output.value = to;
            }
        }
    }

    /// How often each value is read, by nodes and as an output.
    pub(super) fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.values.len()];
        for input in self.nodes.iter().flat_map(|node| &node.inputs).flatten() {
            uses[input.index()] += 1;
        }
        for output in &self.outputs {
            uses[output.value.index()] += 1;
        }
        uses
    }

    /// For each value, the node that gives it.
    pub(super) fn givers(&self) -> Vec<Option<usize>> {
        let mut givers = vec![None; self.values.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            for output in node.outputs.iter().flatten() {
                givers[output.index()] = Some(index);
            }
        }
        givers
    }

    /// The operators, each before those of the graphs inside of it.
    pub(super) fn operators(&self) -> Vec<&OpName> {
        let mut operators = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            operators.push(&node.op);
            operators.extend(node.bodies().flat_map(|body| body.graph.operators()));
        }
        operators
    }

    /// Elements of all constants together, those of graphs inside of nodes included.
    pub(super) fn parameters(&self) -> u64 {
        let mut seen = BTreeSet::new();
        self.count_parameters(&mut seen)
    }

    /// A constant that several graphs read is counted once.
    fn count_parameters(&self, seen: &mut BTreeSet<*const Tensor>) -> u64 {
        let constants = self.values.iter().filter_map(|value| value.constant.as_ref());
        let new = constants.filter(|tensor| seen.insert(Arc::as_ptr(tensor)));
        let own: u64 = new.map(|tensor| tensor.data.len() as u64).sum();
        let bodies = self.nodes.iter().flat_map(Node::bodies);
        own + bodies.map(|body| body.graph.count_parameters(seen)).sum::<u64>()
    }
}
