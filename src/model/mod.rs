//! A trained model: formats, graph, plan, execution on burn backends.
//!
//! A file (ONNX, a burn module's weights, or trees as XGBoost and LightGBM save them) is decoded within [`Limits`] into a
//! graph of our own, which passes simplify and check: every operator that is not supported is named at load. A plan of
//! kernels over slots then runs on a burn backend; trees run as a [`forest`].

mod boosted;
mod burn;
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

use std::{collections::BTreeMap, fmt};

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

/// What a model is made of, for `model show`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Operators of the file as `domain:Op`, its layers as `burn:kind`, or booster and objective as `library:name`, with
    /// their number.
    pub operators: BTreeMap<String, usize>,
    /// What the file calls the columns of its one input; nothing if it does not.
    pub features: Vec<String>,
    /// Operators that are executed, after all passes.
    pub steps: Vec<String>,
    /// Elements of all weights.
    pub parameters: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// What the room of a format makes of a file.
struct Decoded {
    /// Sorted, its types not yet inferred.
    graph: Graph,
    /// As [`Summary::operators`].
    operators: Vec<String>,
    /// As [`Summary::features`].
    features: Vec<String>,
}

impl Decoded {
    fn of(bytes: &[u8], format: Format, limits: &Limits) -> Result<Decoded, Error> {
        match format {
            Format::Onnx => {
                let graph = onnx::decode(bytes, limits)?;
                let operators = graph.nodes.iter().map(|node| node.op.to_string()).collect();
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
}

impl Model {
    /// Loads a model. Everything that could not be executed exactly is refused here, never at the first row.
    pub fn load(bytes: &[u8], format: Format, options: &Options) -> Result<Model, Error> {
        let Decoded { mut graph, operators, features } = Decoded::of(bytes, format, &options.limits)?;
        let mut summary = Summary { features, bytes: bytes.len() as u64, ..Summary::default() };
        for operator in operators {
            *summary.operators.entry(operator).or_default() += 1;
        }
        passes::run(&mut graph, options)?;
        summary.parameters = graph.parameters();
        summary.steps = graph.nodes.iter().map(|node| node.op.name.clone()).collect();
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
