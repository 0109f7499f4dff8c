//! A trained model: formats, graph, plan, execution on burn backends.

mod error;
pub mod forest;
mod options;
mod port;
mod tensor;

use std::collections::BTreeMap;

pub use error::Error;
pub use options::{Backend, Limits, Options};
pub use port::{Dim, Labels, Port};
pub use tensor::{DType, Data, Tensor, TensorView};

/// A loaded model: immutable, shared between threads.
#[derive(Debug)]
pub struct Model {
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    summary: Summary,
}

/// What a model is made of, for `model show`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Operators of the file, as `domain:Op`, with their number.
    pub operators: BTreeMap<String, usize>,
    /// Steps that are executed, after all passes.
    pub steps: Vec<String>,
    /// Elements of all weights, tree nodes included.
    pub parameters: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

impl Model {
    /// Loads an ONNX model. Everything that could not be executed exactly is refused here, never at the first row.
    pub fn load(bytes: &[u8], options: &Options) -> Result<Model, Error> {
        Error::limit("the file's length in bytes", bytes.len(), options.limits.bytes)?;
        Err(Error::decode("no decoder"))
    }

    /// What it takes, in the order of [`Model::run`]'s arguments.
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// What it gives, in the order of [`Model::run`]'s results.
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// What it is made of.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Computes the outputs from the inputs.
    pub fn run(&self, _inputs: &[TensorView<'_>]) -> Result<Vec<Tensor>, Error> {
        Err(Error::decode("no plan"))
    }
}
