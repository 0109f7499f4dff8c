//! A trained model: formats, graph, plan, execution on burn backends.
//!
//! A file (ONNX, a burn module's weights, or trees as XGBoost and LightGBM save them) is decoded within [`Limits`] into a
//! graph of our own, which passes simplify and check: every operator that is not supported is named at load. A plan of
//! kernels over slots then runs on a burn backend; trees run as a [`forest`].

mod boosted;
mod burn;
mod contents;
mod error;
pub mod forest;
mod format;
pub mod golden;
#[cfg(feature = "gpu")]
mod gpu;
mod graph;
mod lightgbm;
mod onnx;
mod operators;
mod options;
mod plan;
mod port;
mod tensor;
mod xgboost;

use std::fmt;

use contents::Decoded;
pub use contents::{Contents, Summary};
pub use error::Error;
pub use format::Format;
pub use options::{Backend, Limits, Options};
pub use port::{Dim, Labels, Port};
pub use tensor::{DType, Data, Tensor, TensorView};

use graph::{Graph, Type, passes};
use plan::Plan;

/// A loaded model: immutable, shared between threads.
pub struct Model {
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    summary: Summary,
    program: Program,
}

/// The plan on the backend that was chosen.
enum Program {
    Flex(Plan<burn_flex::Flex>),
    #[allow(deprecated)]
    Ndarray(Plan<burn_ndarray::NdArray>),
    #[cfg(feature = "gpu")]
    Wgpu(Plan<burn_wgpu::Wgpu>),
}

impl Model {
    /// Loads a model. Everything that could not be executed exactly is refused here, never at the first row.
    pub fn load(bytes: &[u8], format: Format, options: &Options) -> Result<Model, Error> {
        let decoded = Decoded::of(bytes, format, &options.limits)?;
        let mut summary = decoded.summary(bytes.len());
        let mut graph = decoded.graph;
        passes::run(&mut graph, options)?;
        summary.steps = graph.operators().into_iter().map(|op| op.name.clone()).collect();
        let program = match options.backend {
            Backend::Flex => Program::Flex(plan::build(&graph, options, Default::default())?),
            Backend::Ndarray => Program::Ndarray(plan::build(&graph, options, Default::default())?),
            #[cfg(feature = "gpu")]
            Backend::Wgpu => Program::Wgpu(plan::build(&graph, options, gpu::device()?)?),
        };
        let (inputs, outputs) = ports(&graph);
        Ok(Model { inputs, outputs, summary, program })
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
    pub fn run(&self, inputs: &[TensorView<'_>]) -> Result<Vec<Tensor>, Error> {
        port::check(&self.inputs, inputs)?;
        match &self.program {
            Program::Flex(plan) => plan.run(inputs),
            Program::Ndarray(plan) => plan.run(inputs),
            #[cfg(feature = "gpu")]
            Program::Wgpu(plan) => plan.run(inputs),
        }
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}

fn ports(graph: &Graph) -> (Vec<Port>, Vec<Port>) {
    let inputs = graph.inputs.iter().map(|(_, port)| port.clone()).collect();
    let output = |output: &graph::Output| Port {
        name: output.name.clone(),
        dtype: match graph.value(output.value).kind {
            Type::Tensor(dtype) => dtype,
            // Refused where types were inferred.
            Type::Unknown | Type::Foreign(_) => DType::F32,
        },
        shape: output.shape.clone(),
        labels: output.labels.clone(),
    };
    (inputs, graph.outputs.iter().map(output).collect())
}
