//! What a model file holds, whether or not the engine computes it.

use std::collections::BTreeMap;

use super::{Error, Format, Limits, Port, decode, graph::Graph};

/// What a model is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Operators of the file as `domain:Op`, or its layers as `burn:kind`, with their number.
    pub operators: BTreeMap<String, usize>,
    /// Operators that are executed, after all passes; none before a model is loaded.
    pub steps: Vec<String>,
    /// Elements of all weights.
    pub parameters: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

impl Summary {
    pub(super) fn of(graph: &Graph, operators: Vec<String>, bytes: usize) -> Summary {
        let mut summary =
            Summary { bytes: bytes as u64, parameters: graph.parameters(), ..Summary::default() };
        for operator in operators {
            *summary.operators.entry(operator).or_default() += 1;
        }
        summary
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
        let (graph, summary) = decode(bytes, format, limits)?;
        Ok(Contents {
            inputs: graph.inputs.into_iter().map(|(_, port)| port).collect(),
            outputs: graph.outputs.into_iter().map(|output| output.name).collect(),
            summary,
        })
    }
}
