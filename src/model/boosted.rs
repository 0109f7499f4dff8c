//! What the rooms of XGBoost and LightGBM make of a file: trees, what makes predictions of their margins, and the graph
//! of both. It has one input, `features`, and one output, `prediction`: what the library's own `predict` gives.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    DType, Data, Decoded, Dim, Labels, Port, Tensor,
    forest::Ensemble,
    graph::{Attribute, Graph, Node, OpName, Output, Type, Value, ValueId},
    operators::{LINK, Link, TREES},
};

/// The version of `ai.onnx` that its operators are meant in.
const VERSION: i64 = 17;

/// A model that is trees and a link.
pub(super) struct Boosted {
    /// The type of the features: the width in which the library compares them.
    pub(super) dtype: DType,
    /// Features a row.
    pub(super) columns: usize,
    /// What the file calls them; nothing if it does not.
    pub(super) names: Vec<String>,
    pub(super) ensemble: Ensemble,
    /// What the margins are divided by, if they are.
    pub(super) divisor: Option<f64>,
    /// How margins become predictions, if they are not the same.
    pub(super) link: Option<Link>,
    /// Whether the targets are classes.
    pub(super) classes: bool,
    /// What the file is made of, as `library:part`.
    pub(super) operators: Vec<String>,
}

impl Boosted {
    pub(super) fn decoded(self) -> Decoded {
        let (targets, link) = (self.ensemble.targets, self.link);
        let mut chain = Chain::new(self.dtype, self.columns);
        chain.push(TREES, &[], Some(("ensemble", Attribute::Ensemble(Arc::new(self.ensemble)))));
        if let Some(divisor) = self.divisor {
            let divisor = Tensor::new([1], Data::F64(vec![divisor]));
            let divisor = chain.graph.add_constant("divisor".to_owned(), divisor);
            chain.push(("ai.onnx", "Div"), &[divisor], None);
        }
        if let Some(link) = link {
            chain.push(LINK, &[], Some(("link", Attribute::Link(link))));
        }
        let mut shape = vec![rows()];
        let mut labels = None;
        if targets > 1 && link != Some(Link::Argmax) {
            shape.push(Dim::Fixed(targets));
            labels = self.classes.then(|| Labels::Ints((0..targets as i64).collect()));
        }
        let mut graph = chain.graph;
        graph.outputs.push(Output { value: chain.top, name: "prediction".to_owned(), shape, labels });
        Decoded { graph, operators: self.operators, features: self.names }
    }
}

fn rows() -> Dim {
    Dim::Named("N".to_owned())
}

/// A graph of which each node reads what the one before it gives.
struct Chain {
    graph: Graph,
    /// What the last of them gives.
    top: ValueId,
}

impl Chain {
    fn new(dtype: DType, columns: usize) -> Self {
        let name = "features".to_owned();
        let mut graph = Graph::default();
        graph.values.push(Value { name: name.clone(), kind: Type::Tensor(dtype), constant: None });
        let shape = vec![rows(), Dim::Fixed(columns)];
        graph.inputs.push((ValueId(0), Port { name, dtype, shape, labels: None }));
        Chain { graph, top: ValueId(0) }
    }

    /// Adds a node that reads the last one and constants.
    fn push(
        &mut self,
        (domain, op): (&str, &str),
        constants: &[ValueId],
        attribute: Option<(&str, Attribute)>,
    ) {
        let output = ValueId(self.graph.values.len() as u32);
        self.graph.values.push(Value { name: op.to_lowercase(), kind: Type::Unknown, constant: None });
        self.graph.nodes.push(Node {
            name: op.to_lowercase(),
            op: OpName { domain: domain.to_owned(), name: op.to_owned() },
            version: VERSION,
            inputs: [self.top].iter().chain(constants).copied().map(Some).collect(),
            outputs: vec![Some(output)],
            attributes: BTreeMap::from_iter(attribute.map(|(name, value)| (name.to_owned(), value))),
        });
        self.top = output;
    }
}
