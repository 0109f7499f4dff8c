//! From an [`Ensemble`] to a [`Forest`]: checked, lowered, laid out.

use super::LANES;
use super::ensemble::{Aggregate, Ensemble, Limits, Node, Tree, Weight};
use super::layout::{Cell, Index, Slots, append};
use super::lower::{Lean, Lowered};
use super::scalar::Scalar;
use crate::types::{Error, Result};

/// The compiled trees at one width of index.
#[derive(Clone, Debug)]
pub(super) struct Flat<X, I> {
    pub(super) cells: Vec<Cell<X, I>>,
    /// In the order in which they are added: of the file where that decides the sum, else deepest first, so that
    /// neighbours take about as many steps.
    pub(super) trees: Vec<Root>,
    /// The steps that each eight neighbours take together.
    pub(super) depths: Vec<u32>,
    pub(super) leaves: Leaves,
}

/// Where a tree starts among the cells, and how many steps every row takes in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Root {
    pub(super) cell: u32,
    pub(super) depth: u32,
}

/// What a reached leaf means.
#[derive(Clone, Debug)]
pub(super) enum Leaves {
    /// Its threshold is its weight, for the one target that the tree (by position in `trees`) has.
    Weight { targets: Vec<u32> },
    /// Its threshold is a position in `ranges`.
    Weights { ranges: Vec<(u32, u32)>, weights: Vec<Weight> },
}

/// Refuses what is too large or inconsistent; gives the number of columns that the splits need.
pub(super) fn check(ensemble: &Ensemble, limits: &Limits) -> Result<usize> {
    let features = ensemble.trees.iter().flat_map(|tree| &tree.nodes).map(last_column).max().unwrap_or(0);
    let nodes = ensemble.trees.iter().map(size).fold(0, usize::saturating_add);
    for (what, has, most) in [
        ("trees", ensemble.trees.len(), limits.trees),
        ("nodes", nodes, limits.nodes),
        ("targets", ensemble.targets, limits.targets),
        ("columns", features, limits.features),
    ] {
        if has > most {
            return Err(Error::invalid(format!("a tree ensemble has {has} {what}; the most is {most}")));
        }
    }
    if ![0, ensemble.targets].contains(&ensemble.base.len()) {
        let (has, wants) = (ensemble.base.len(), ensemble.targets);
        return Err(Error::invalid(format!("a tree ensemble has {has} base values for {wants} targets")));
    }
    for (number, tree) in ensemble.trees.iter().enumerate() {
        for weight in &tree.weights {
            if weight.value.is_nan() {
                return Err(Error::invalid("a weight is NaN").within(format_args!("tree {number}")));
            }
            if weight.target as usize >= ensemble.targets {
                let message = format!("a weight is for target {} of {}", weight.target, ensemble.targets);
                return Err(Error::invalid(message).within(format_args!("tree {number}")));
            }
        }
    }
    Ok(features)
}

/// The nodes of a tree once its sets have become comparisons.
fn size(tree: &Tree) -> usize {
    let edges = |node: &Node| match node {
        Node::Member { set, .. } => tree.sets.get(*set as usize).map_or(0, |set| set.edges.len()),
        Node::Split { .. } | Node::Leaf { .. } => 0,
    };
    let nodes = tree.nodes.len().max(tree.weights.len());
    tree.nodes.iter().map(edges).fold(nodes, usize::saturating_add)
}

fn last_column(node: &Node) -> usize {
    match node {
        Node::Split { feature, .. } | Node::Member { feature, .. } => *feature as usize + 1,
        Node::Leaf { .. } => 0,
    }
}

/// Every tree lowered, with its position in the ensemble: in the order in which they are added.
pub(super) fn lower<X: Scalar>(ensemble: &Ensemble, limits: &Limits) -> Result<Vec<(usize, Lowered<X>)>> {
    let mut trees = Vec::with_capacity(ensemble.trees.len());
    for (number, tree) in ensemble.trees.iter().enumerate() {
        let place = format_args!("tree {number}").to_string();
        let lowered = Lowered::of(tree).map_err(|error| error.within(&place))?;
        if lowered.depth() as usize > limits.depth {
            let message = format!("{} levels deep; the most is {}", lowered.depth(), limits.depth);
            return Err(Error::invalid(message).within(place));
        }
        trees.push((number, lowered));
    }
    if ensemble.aggregate != Aggregate::Running {
        trees.sort_by_key(|(_, tree)| std::cmp::Reverse(tree.depth()));
    }
    Ok(trees)
}

/// Whether any split sends NaN left, so that rows need their second half.
pub(super) fn nan_left<X>(trees: &[(usize, Lowered<X>)]) -> bool {
    let goes_left = |node: &Lean<X>| matches!(node, Lean::Split { nan_left: true, .. });
    trees.iter().any(|(_, tree)| tree.nodes.iter().any(goes_left))
}

impl<X: Scalar, I: Index> Flat<X, I> {
    /// None if `I` is too narrow.
    pub(super) fn of(ensemble: &Ensemble, trees: &[(usize, Lowered<X>)], slots: Slots) -> Option<Flat<X, I>> {
        let kinds: Option<Vec<u32>> =
            trees.iter().map(|(number, _)| lone_target::<X>(&ensemble.trees[*number])).collect();
        let deepest = |eight: &[(usize, Lowered<X>)]| eight.iter().map(|(_, tree)| tree.depth()).max();
        let mut flat = Flat {
            cells: Vec::new(),
            trees: Vec::with_capacity(trees.len()),
            depths: trees.chunks(LANES).filter_map(deepest).collect(),
            leaves: Leaves::none(),
        };
        for (number, lowered) in trees {
            let weights = &ensemble.trees[*number].weights;
            flat.trees.push(Root { cell: u32::try_from(flat.cells.len()).ok()?, depth: lowered.depth() });
            let fits = match (&kinds, &mut flat.leaves) {
                (None, Leaves::Weights { ranges, weights: all }) => {
                    let offset = u32::try_from(all.len()).ok()?;
                    all.extend_from_slice(weights);
                    let keep = |first: u32, count: u32| {
                        ranges.push((offset + first, offset + first + count));
                        X::nearest((ranges.len() - 1) as f64)
                    };
                    append(lowered, slots, keep, &mut flat.cells) && X::exact(ranges.len() as f64).is_some()
                }
                _ => append(
                    lowered,
                    slots,
                    |first, _| X::nearest(weights[first as usize].value),
                    &mut flat.cells,
                ),
            };
            if !fits {
                return None;
            }
        }
        if let Some(targets) = kinds {
            flat.leaves = Leaves::Weight { targets };
        }
        Some(flat)
    }

    pub(super) fn bytes(&self) -> usize {
        let leaves = match &self.leaves {
            Leaves::Weight { targets } => size_of_val(&targets[..]),
            Leaves::Weights { ranges, weights } => size_of_val(&ranges[..]) + size_of_val(&weights[..]),
        };
        size_of_val(&self.cells[..]) + size_of_val(&self.trees[..]) + size_of_val(&self.depths[..]) + leaves
    }
}

impl Leaves {
    fn none() -> Leaves {
        Leaves::Weights { ranges: Vec::new(), weights: Vec::new() }
    }
}

/// The target of a tree whose every leaf holds exactly one weight, all for the same target, that `X` holds exactly.
fn lone_target<X: Scalar>(tree: &Tree) -> Option<u32> {
    let mut target = None;
    for node in &tree.nodes {
        if let Node::Leaf { first, count } = *node {
            let weight = tree.weights.get(first as usize).filter(|_| count == 1)?;
            X::exact(weight.value)?;
            if *target.get_or_insert(weight.target) != weight.target {
                return None;
            }
        }
    }
    target
}
