//! What a model file holds, whether or not the engine computes it.

use std::collections::BTreeMap;

use super::{Error, Format, Limits, Port, burn, graph::Graph, lightgbm, onnx, xgboost};

/// What a model is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Operators of the file as `domain:Op`, its layers as `burn:kind`, or booster and objective as `library:name`, with
    /// their number.
    pub operators: BTreeMap<String, usize>,
    /// What the file calls the columns of its one input; nothing if it does not.
    pub features: Vec<String>,
    /// Operators that are executed, after all passes; none before a model is loaded.
    pub steps: Vec<String>,
    /// Elements of all weights.
    pub parameters: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// What the room of a format makes of a file.
pub(super) struct Decoded {
    /// Sorted, its types not yet inferred.
    pub(super) graph: Graph,
    /// As [`Summary::operators`], one by one.
    pub(super) operators: Vec<String>,
    /// As [`Summary::features`].
    pub(super) features: Vec<String>,
}

impl Decoded {
    pub(super) fn of(bytes: &[u8], format: Format, limits: &Limits) -> Result<Decoded, Error> {
        match format {
            Format::Onnx => {
                let graph = onnx::decode(bytes, limits)?;
                let operators = graph.operators().into_iter().map(ToString::to_string).collect();
                Ok(Decoded { graph, operators, features: Vec::new() })
            }
            Format::Burn => {
                let (graph, operators) = burn::decode(bytes, limits)?;
                Ok(Decoded { graph, operators, features: Vec::new() })
            }
            Format::Xgboost => xgboost::decode(bytes, limits),
            Format::Lightgbm => lightgbm::decode(bytes, limits),
        }
    }

    /// What a file of so many bytes is made of.
    pub(super) fn summary(&self, bytes: usize) -> Summary {
        let mut operators = BTreeMap::new();
        for operator in &self.operators {
            *operators.entry(operator.clone()).or_default() += 1;
        }
        Summary {
            operators,
            features: self.features.clone(),
            steps: Vec::new(),
            parameters: self.graph.parameters(),
            bytes: bytes as u64,
        }
    }
}

/// What a readable file holds, its operators supported or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// What it takes.
    pub inputs: Vec<Port>,
    /// The names of what it gives. Their types are known once it is loaded.
    pub outputs: Vec<String>,
    /// What it is made of.
    pub summary: Summary,
}

impl Contents {
    /// Reads a file without asking whether it could be executed.
    ///
    /// # Errors
    /// If it is no model of this format, contradicts itself, or is over a limit.
    pub fn read(bytes: &[u8], format: Format, limits: &Limits) -> Result<Contents, Error> {
        let decoded = Decoded::of(bytes, format, limits)?;
        let summary = decoded.summary(bytes.len());
        let Decoded { graph, .. } = decoded;
        Ok(Contents {
            inputs: graph.inputs.into_iter().map(|(_, port)| port).collect(),
            outputs: graph.outputs.into_iter().map(|output| output.name).collect(),
            summary,
        })
    }
}
