//! From every mode of comparison to one: `x <= t`, true sends left, with NaN sent where it belongs.
//!
//! The result is the same function of the row, NaN and infinities included. What always decides the same way
//! disappears; what remains is ordered so that a node comes after all that lead to it.
//!
//! Membership in a set becomes a balanced tree of comparisons with the set's edges. It is as deep as the logarithm of
//! their number, and its many ends share the two nodes that they lead to.

use super::ensemble::{Mode, Node, Set, Tree};
use super::scalar::Scalar;
use crate::types::{Error, Result};

/// A node after lowering; `left` and `right` are indices into [`Lowered::nodes`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Lean<X> {
    Split { feature: u32, threshold: X, nan_left: bool, left: u32, right: u32 },
    Leaf { first: u32, count: u32 },
}

/// A tree of one kind of comparison, children before parents.
#[derive(Debug, PartialEq)]
pub(super) struct Lowered<X> {
    pub(super) nodes: Vec<Lean<X>>,
    /// The longest path from each node, in comparisons.
    pub(super) depths: Vec<u32>,
    pub(super) root: u32,
}

impl<X: Scalar> Lowered<X> {
    pub(super) fn of(tree: &Tree) -> Result<Lowered<X>> {
        let order = children_first(tree)?;
        let mut lowered = Lowered { nodes: Vec::with_capacity(order.len()), depths: Vec::new(), root: 0 };
        lowered.depths.reserve(order.len());
        let mut place = vec![u32::MAX; tree.nodes.len()];
        for index in order {
            place[index as usize] = match tree.nodes[index as usize] {
                Node::Leaf { first, count } => {
                    let end = first.checked_add(count).map(|end| end as usize);
                    if end.is_none_or(|end| end > tree.weights.len()) {
                        return Err(Error::invalid(format!(
                            "leaf {index} names weights the tree doesn't have"
                        )));
                    }
                    lowered.leaf(first, count)
                }
                Node::Split { feature, threshold, mode, on_true, on_false, missing_true } => {
                    let (yes, no) = (place[on_true as usize], place[on_false as usize]);
                    lowered.compare(Fork { feature, yes, no, nan_yes: missing_true }, mode, threshold)
                }
                Node::Member { feature, set, on_true, on_false, missing_true } => {
                    let edges = edges(tree, set).map_err(|error| error.within(format!("node {index}")))?;
                    let (yes, no) = (place[on_true as usize], place[on_false as usize]);
                    lowered.member(Fork { feature, yes, no, nan_yes: missing_true }, edges)
                }
            };
        }
        lowered.root = place[tree.root as usize];
        Ok(lowered)
    }

    pub(super) fn depth(&self) -> u32 {
        self.depths[self.root as usize]
    }

    fn leaf(&mut self, first: u32, count: u32) -> u32 {
        self.push(Lean::Leaf { first, count }, 0)
    }

    fn push(&mut self, node: Lean<X>, depth: u32) -> u32 {
        self.nodes.push(node);
        self.depths.push(depth);
        (self.nodes.len() - 1) as u32
    }

    fn compare(&mut self, fork: Fork, mode: Mode, threshold: f64) -> u32 {
        match mode {
            Mode::Neq => self.equal(Fork { nan_yes: true, ..fork }.inverted(), threshold),
            _ if threshold.is_nan() => self.at_most(fork, None),
            Mode::Leq => self.at_most(fork, X::floor(threshold)),
            Mode::Lt => self.at_most(fork, X::floor_below(threshold)),
            Mode::Gt => self.at_most(fork.inverted(), X::floor(threshold)),
            Mode::Gte => self.at_most(fork.inverted(), X::floor_below(threshold)),
            Mode::Eq => self.equal(fork, threshold),
        }
    }

    /// `x <= bound`; with no bound, no number is that small.
    fn at_most(&mut self, fork: Fork, bound: Option<X>) -> u32 {
        let Fork { feature, yes, no, nan_yes } = fork;
        match bound {
            _ if yes == no => no,
            None if !nan_yes => no,
            None => self.split(feature, X::GREATEST, false, no, yes),
            Some(bound) if nan_yes && bound == X::GREATEST => yes,
            Some(bound) => self.split(feature, bound, nan_yes, yes, no),
        }
    }

    /// `x == t` is `x <= t` and not `x <= the number below t`.
    fn equal(&mut self, fork: Fork, threshold: f64) -> u32 {
        let (upper, lower) = (X::floor(threshold), X::floor_below(threshold));
        if upper == lower {
            return self.at_most(fork, None);
        }
        let above = Fork { yes: fork.no, no: fork.yes, nan_yes: false, ..fork };
        let above = self.at_most(above, lower);
        self.at_most(Fork { yes: above, ..fork }, upper)
    }

    /// Whether `x` belongs to the set with these edges.
    fn member(&mut self, fork: Fork, edges: &[f64]) -> u32 {
        // Taken for less than every edge, NaN does not belong; taken for greater, it does where the last one begins.
        let endless = edges.len() % 2 == 1;
        let number = self.between(Fork { nan_yes: endless && !fork.nan_yes, ..fork }, edges, false);
        if fork.nan_yes && !endless {
            let is_number = Fork { yes: number, no: fork.yes, nan_yes: false, ..fork };
            return self.at_most(is_number, Some(X::GREATEST));
        }
        number
    }

    /// Finds the place of `x` among edges: `inside` says whether what is less than all of them belongs. NaN is taken for
    /// less than all if `nan_yes`, else for greater.
    fn between(&mut self, fork: Fork, edges: &[f64], inside: bool) -> u32 {
        let (below, rest) = edges.split_at(edges.len() / 2);
        let Some((edge, above)) = rest.split_first() else {
            return if inside { fork.yes } else { fork.no };
        };
        let yes = self.between(fork, below, inside);
        let no = self.between(fork, above, inside ^ (below.len() % 2 == 0));
        self.at_most(Fork { yes, no, ..fork }, X::floor_below(*edge))
    }

    fn split(&mut self, feature: u32, threshold: X, nan_left: bool, left: u32, right: u32) -> u32 {
        let depth = 1 + self.depths[left as usize].max(self.depths[right as usize]);
        self.push(Lean::Split { feature, threshold, nan_left, left, right }, depth)
    }
}

/// A question about to be lowered: where its yes and its no lead, and which of them NaN takes.
#[derive(Clone, Copy)]
struct Fork {
    feature: u32,
    yes: u32,
    no: u32,
    nan_yes: bool,
}

impl Fork {
    fn inverted(self) -> Fork {
        Fork { yes: self.no, no: self.yes, nan_yes: !self.nan_yes, ..self }
    }
}

/// The edges of a set that a node names.
fn edges(tree: &Tree, set: u32) -> Result<&[f64]> {
    let Some(Set { edges }) = tree.sets.get(set as usize) else {
        return Err(Error::invalid(format!("set {set} doesn't exist (the tree has {})", tree.sets.len())));
    };
    // Also false where either is NaN.
    if !edges.is_sorted_by(|edge, next| edge < next) || edges.first().is_some_and(|edge| edge.is_nan()) {
        return Err(Error::invalid(format!("the edges of set {set} are not increasing")));
    }
    Ok(edges)
}

/// The nodes reachable from the root, each after its children. Refuses cycles and children that don't exist.
fn children_first(tree: &Tree) -> Result<Vec<u32>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Not,
        Open,
        Done,
    }
    let mut seen = vec![Seen::Not; tree.nodes.len()];
    let mut order = Vec::with_capacity(tree.nodes.len());
    let mut stack = vec![tree.root];
    while let Some(&index) = stack.last() {
        let Some(state) = seen.get_mut(index as usize) else {
            return Err(Error::invalid(format!(
                "node {index} doesn't exist (the tree has {})",
                tree.nodes.len()
            )));
        };
        match (*state, tree.nodes[index as usize].children()) {
            (Seen::Not, Some([on_true, on_false])) => {
                *state = Seen::Open;
                for child in [on_false, on_true] {
                    match seen.get(child as usize) {
                        Some(Seen::Open) => {
                            return Err(Error::invalid(format!("node {child} is its own ancestor")));
                        }
                        Some(Seen::Done) => {}
                        Some(Seen::Not) | None => stack.push(child),
                    }
                }
            }
            (Seen::Done, _) => {
                stack.pop();
            }
            (Seen::Open | Seen::Not, _) => {
                *state = Seen::Done;
                order.push(index);
                stack.pop();
            }
        }
    }
    Ok(order)
}
