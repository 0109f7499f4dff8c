//! Computes a node at load, from constants.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{
    super::{
        Error, Options, Tensor,
        operators::{Refusal, Spec, compile},
        plan::evaluate,
    },
    Graph, Node,
};

/// What a node gives for these inputs.
pub(super) fn compute(
    graph: &Graph,
    node: &Node,
    inputs: &[Option<Arc<Tensor>>],
    options: &Options,
) -> Result<Vec<Tensor>, Error> {
    let invalid = |reason: String| Error::invalid(format!("node {}", node.place()), reason);
    let kernel =
        compile::<burn_flex::Flex>(&Spec::new(graph, node, options)).map_err(|refusal| match refusal {
            Refusal::Unsupported(reason) | Refusal::Invalid(reason) => invalid(reason),
        })?;
    match catch_unwind(AssertUnwindSafe(|| evaluate(&kernel, inputs, &Default::default()))) {
        Ok(result) => result.map_err(invalid),
        Err(_) => Err(invalid("the backend panicked".to_owned())),
    }
}
