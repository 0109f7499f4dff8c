//! A node as its operator reads it at load: attributes, types, constants.

use std::sync::Arc;

use super::{
    super::{
        Backend, DType, Error, Limits, Options, Tensor,
        forest::Ensemble,
        graph::{Attribute, Body, Graph, Node, OpName, Type, ValueId},
        plan::{self, Routine},
    },
    Link, half,
};

/// Why a node is refused at load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::model) enum Refusal {
    /// The engine does not compute it exactly.
    Unsupported(String),
    /// The node contradicts the specification.
    Invalid(String),
}

impl Refusal {
    pub(in crate::model) fn unsupported(reason: impl Into<String>) -> Refusal {
        Refusal::Unsupported(reason.into())
    }

    pub(in crate::model) fn invalid(reason: impl Into<String>) -> Refusal {
        Refusal::Invalid(reason.into())
    }
}

/// A node with all that is known of it before it runs.
pub(in crate::model) struct Spec<'g> {
    graph: &'g Graph,
    node: &'g Node,
    options: &'g Options,
    /// Whether 16-bit floats are seen as 32-bit ones.
    is_widened: bool,
}

impl<'g> Spec<'g> {
    pub(in crate::model) fn new(graph: &'g Graph, node: &'g Node, options: &'g Options) -> Self {
        Spec { graph, node, options, is_widened: false }
    }

    /// The node as it is once its 16-bit floats have been made 32-bit ones.
    pub(super) fn widened(&self) -> Self {
        Spec { is_widened: true, ..*self }
    }

    pub(in crate::model) fn op(&self) -> &'g OpName {
        &self.node.op
    }

    /// Who is to compute it.
    pub(in crate::model) fn backend(&self) -> Backend {
        self.options.backend
    }

    pub(in crate::model) fn limits(&self) -> &'g Limits {
        &self.options.limits
    }

    /// Tensors of at most this many elements are computed by a loop instead of the backend.
    pub(in crate::model) fn loop_elements(&self) -> usize {
        self.options.loop_elements
    }

    /// Products of at most this many elements are made with weights packed at load. On the processor these are faster at
    /// any size: the backend packs its own in every call.
    pub(in crate::model) fn packed_elements(&self) -> usize {
        match self.options.loop_elements {
            0 => 0,
            small if self.backend().narrow() => small,
            _ => usize::MAX,
        }
    }

    /// Version of the operator's set.
    pub(in crate::model) fn version(&self) -> i64 {
        self.node.version
    }

    /// Number of inputs, absent ones included.
    pub(in crate::model) fn inputs(&self) -> usize {
        self.node.inputs.len()
    }

    /// Number of outputs, absent ones included.
    pub(in crate::model) fn outputs(&self) -> usize {
        self.node.outputs.len()
    }

    /// Whether somebody may read output `index`.
    pub(in crate::model) fn gives(&self, index: usize) -> bool {
        self.node.outputs.get(index).is_some_and(Option::is_some)
    }

    /// The type of output `index`, once it is inferred; none where nobody may read it.
    pub(super) fn output(&self, index: usize) -> Option<DType> {
        let id = self.node.outputs.get(index).copied().flatten()?;
        match self.graph.value(id).kind {
            Type::Tensor(dtype) => Some(dtype),
            Type::Unknown | Type::Foreign(_) => None,
        }
    }

    fn id(&self, input: usize) -> Option<ValueId> {
        self.node.inputs.get(input).copied().flatten()
    }

    /// Whether input `input` is given.
    pub(in crate::model) fn has(&self, input: usize) -> bool {
        self.id(input).is_some()
    }

    /// The type of an input that must be given.
    pub(in crate::model) fn dtype(&self, input: usize) -> Result<DType, Refusal> {
        let Some(id) = self.id(input) else {
            return Err(missing(input));
        };
        let value = self.graph.value(id);
        match &value.kind {
            Type::Tensor(DType::F16) if self.is_widened => Ok(DType::F32),
            Type::Tensor(dtype) => Ok(*dtype),
            Type::Foreign(kind) => Err(Refusal::unsupported(format!("it reads `{}`, {kind}", value.name))),
            Type::Unknown => Err(Refusal::invalid(format!("the type of `{}` is not known", value.name))),
        }
    }

    /// The type of an input that must be given, whether it is one of tensors or not.
    pub(in crate::model) fn kind(&self, input: usize) -> Result<Type, Refusal> {
        match self.id(input) {
            Some(id) => Ok(self.graph.value(id).kind.clone()),
            None => Err(missing(input)),
        }
    }

    /// Whether the model gives it 16-bit floats beside wider ones. Once types are inferred some are kept wide, which does
    /// not count.
    pub(super) fn mixes_halves(&self) -> bool {
        let given = |dtypes: &[DType]| {
            let kind = |id: &ValueId| &self.graph.value(*id).kind;
            let is_given = |kind: &Type| matches!(kind, Type::Tensor(dtype) if dtypes.contains(dtype));
            self.node.inputs.iter().flatten().map(kind).any(is_given)
        };
        let is_inferred = (0..self.outputs()).any(|output| self.output(output).is_some());
        !is_inferred && given(&[DType::F16]) && given(&[DType::F32, DType::F64])
    }

    /// The input, if it is the same in every run.
    pub(in crate::model) fn constant(&self, input: usize) -> Option<Arc<Tensor>> {
        let tensor = self.graph.constant(self.id(input)?)?;
        if self.is_widened && tensor.dtype() == DType::F16 {
            half::widen(tensor).ok()
        } else {
            Some(Arc::clone(tensor))
        }
    }

    fn attribute(&self, name: &str) -> Option<&'g Attribute> {
        self.node.attributes.get(name)
    }

    pub(in crate::model) fn has_attribute(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    pub(in crate::model) fn int(&self, name: &str, default: i64) -> Result<i64, Refusal> {
        match self.attribute(name) {
            None => Ok(default),
            Some(Attribute::Int(value)) => Ok(*value),
            Some(_) => Err(mistyped(name, "an integer")),
        }
    }

    pub(in crate::model) fn flag(&self, name: &str, default: bool) -> Result<bool, Refusal> {
        Ok(self.int(name, i64::from(default))? != 0)
    }

    pub(in crate::model) fn float(&self, name: &str, default: f32) -> Result<f32, Refusal> {
        match self.attribute(name) {
            None => Ok(default),
            Some(Attribute::Float(value)) => Ok(*value),
            Some(_) => Err(mistyped(name, "a float")),
        }
    }

    pub(in crate::model) fn text(&self, name: &str, default: &'g str) -> Result<&'g str, Refusal> {
        match self.attribute(name) {
            None => Ok(default),
            Some(Attribute::Text(value)) => Ok(value),
            Some(_) => Err(mistyped(name, "a string")),
        }
    }

    pub(in crate::model) fn ints(&self, name: &str) -> Result<Option<&'g [i64]>, Refusal> {
        match self.attribute(name) {
            None => Ok(None),
            Some(Attribute::Ints(values)) => Ok(Some(values)),
            Some(_) => Err(mistyped(name, "a list of integers")),
        }
    }

    pub(in crate::model) fn floats(&self, name: &str) -> Result<Option<&'g [f32]>, Refusal> {
        match self.attribute(name) {
            None => Ok(None),
            Some(Attribute::Floats(values)) => Ok(Some(values)),
            Some(_) => Err(mistyped(name, "a list of floats")),
        }
    }

    pub(in crate::model) fn texts(&self, name: &str) -> Result<Option<&'g [String]>, Refusal> {
        match self.attribute(name) {
            None => Ok(None),
            Some(Attribute::Texts(values)) => Ok(Some(values)),
            Some(_) => Err(mistyped(name, "a list of strings")),
        }
    }

    pub(in crate::model) fn tensor(&self, name: &str) -> Result<Option<&'g Arc<Tensor>>, Refusal> {
        match self.attribute(name) {
            None => Ok(None),
            Some(Attribute::Tensor(tensor)) => Ok(Some(tensor)),
            Some(Attribute::Foreign(kind)) => Err(Refusal::unsupported(format!("its `{name}` is {kind}"))),
            Some(_) => Err(mistyped(name, "a tensor")),
        }
    }

    pub(in crate::model) fn ensemble(&self, name: &str) -> Result<&'g Arc<Ensemble>, Refusal> {
        match self.attribute(name) {
            Some(Attribute::Ensemble(ensemble)) => Ok(ensemble),
            _ => Err(mistyped(name, "an ensemble of trees")),
        }
    }

    pub(in crate::model) fn link(&self, name: &str) -> Result<Link, Refusal> {
        match self.attribute(name) {
            Some(Attribute::Link(link)) => Ok(*link),
            _ => Err(mistyped(name, "a link")),
        }
    }
}

/// Graphs inside of the node.
impl<'g> Spec<'g> {
    pub(in crate::model) fn body(&self, name: &str) -> Result<&'g Body, Refusal> {
        match self.attribute(name) {
            Some(Attribute::Graph(body)) => Ok(body),
            Some(Attribute::Foreign(kind)) => Err(Refusal::unsupported(format!("its `{name}` is {kind}"))),
            _ => Err(Refusal::invalid(format!("its `{name}` is no graph"))),
        }
    }

    /// One of them as it is executed.
    pub(in crate::model) fn routine<B: burn_backend::Backend>(
        &self,
        body: &Body,
    ) -> Result<Routine<B>, Error> {
        plan::routine(&body.graph, self.options)
    }
}

fn missing(input: usize) -> Refusal {
    Refusal::invalid(format!("input {input} is missing"))
}

fn mistyped(name: &str, expected: &str) -> Refusal {
    Refusal::invalid(format!("attribute `{name}` is not {expected}"))
}
