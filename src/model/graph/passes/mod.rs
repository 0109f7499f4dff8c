//! Passes over the graph. Each leaves the outputs' values as they are, to the bit where it can.

mod align;
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
    Graph, Node, body, infer,
};

/// Brings a decoded graph into the form that is planned; refuses what is not supported.
pub(in crate::model) fn run(graph: &mut Graph, options: &Options) -> Result<(), Error> {
    zipmap::remove(graph);
    dead::remove(graph);
    align::align(graph);
    infer(graph, options)?;
    simplify(graph, options, &mut { options.limits.parameters })
}

/// The passes over one graph and those inside of its nodes. What is folded is counted over all of them.
fn simplify(graph: &mut Graph, options: &Options, budget: &mut usize) -> Result<(), Error> {
    identity::remove(graph);
    halves::keep_wide(graph, options);
    fold::fold(graph, options, budget)?;
    dense::fuse(graph);
    dead::remove(graph);
    Ok(())
}

/// The passes over the graphs inside of a node, once what they capture is as it stays.
fn simplify_bodies(
    graph: &Graph,
    node: &mut Node,
    options: &Options,
    budget: &mut usize,
) -> Result<(), Error> {
    body::bind_constants(graph, node);
    for body in node.bodies_mut() {
        simplify(&mut body.graph, options, budget)?;
    }
    body::prune(node);
    Ok(())
}
