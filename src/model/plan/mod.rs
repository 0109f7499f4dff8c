//! The plan: a graph's nodes as kernels, its values as slots that are used again once nobody reads them.

mod build;
mod kernel;
mod run;
mod slot;

use burn_backend::Backend;

pub(super) use build::{build, routine};
pub(super) use kernel::{Args, Constant, Kernel, Source, reshaped, widen};
pub(super) use run::evaluate;
pub(super) use slot::{Given, Reason, Slot, download};

/// One operator of the plan.
struct Step<B: Backend> {
    /// How messages name it.
    place: String,
    kernel: Kernel<B>,
    sources: Vec<Source>,
    /// The slot of each result; none where nobody reads it.
    targets: Vec<Option<u32>>,
}

/// A model ready to run on one backend.
pub(super) struct Plan<B: Backend> {
    device: B::Device,
    routine: Routine<B>,
}

/// A graph as it is executed: that of a model, or one inside of a node.
pub(super) struct Routine<B: Backend> {
    constants: Vec<Constant<B>>,
    steps: Vec<Step<B>>,
    /// How many slots a run needs; the first ones are the inputs.
    slots: usize,
    outputs: Vec<Source>,
}
