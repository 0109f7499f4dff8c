//! Passes over the graph. Each leaves the outputs' values as they are, to the bit where it can.

mod dead;
mod dense;
mod fold;
mod halves;
mod identity;
#[cfg(test)]
mod sample;
mod zipmap;

use super::{
    super::{Error, Options},
    Graph, infer,
};

/// Brings a decoded graph into the form that is planned; refuses what is not supported.
pub(in crate::model) fn run(graph: &mut Graph, options: &Options) -> Result<(), Error> {
    zipmap::remove(graph);
    dead::remove(graph);
    infer(graph, options)?;
    identity::remove(graph);
    halves::keep_wide(graph, options);
    fold::fold(graph, options)?;
    dense::fuse(graph);
    dead::remove(graph);
    Ok(())
}
