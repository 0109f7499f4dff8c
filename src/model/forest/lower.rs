//! From every mode of comparison to one: `x <= t`, true sends left, with NaN sent where it belongs.
//!
//! The result is the same function of the row, NaN and infinities included. What always decides the same way
//! disappears; what remains is ordered so that a node comes after all that lead to it.

use super::ensemble::{Mode, Node, Tree};
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
                    lowered.compare(Test { feature, threshold, yes, no, nan_yes: missing_true }, mode)
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

    fn compare(&mut self, test: Test, mode: Mode) -> u32 {
        match mode {
            Mode::Neq => self.equal(Test { nan_yes: true, ..test }.inverted()),
            _ if test.threshold.is_nan() => self.at_most(test, None),
            Mode::Leq => self.at_most(test, X::floor(test.threshold)),
            Mode::Lt => self.at_most(test, X::floor_below(test.threshold)),
            Mode::Gt => self.at_most(test.inverted(), X::floor(test.threshold)),
            Mode::Gte => self.at_most(test.inverted(), X::floor_below(test.threshold)),
            Mode::Eq => self.equal(test),
        }
    }

    /// `x <= bound`; with no bound, no number is that small.
    fn at_most(&mut self, test: Test, bound: Option<X>) -> u32 {
        let Test { feature, yes, no, nan_yes, .. } = test;
        match bound {
            _ if yes == no => no,
            None if !nan_yes => no,
            None => self.split(feature, X::GREATEST, false, no, yes),
            Some(bound) if nan_yes && bound == X::GREATEST => yes,
            Some(bound) => self.split(feature, bound, nan_yes, yes, no),
        }
    }

    /// `x == t` is `x <= t` and not `x <= the number below t`.
    fn equal(&mut self, test: Test) -> u32 {
        let (upper, lower) = (X::floor(test.threshold), X::floor_below(test.threshold));
        if upper == lower {
            return self.at_most(test, None);
        }
        let above = Test { yes: test.no, no: test.yes, nan_yes: false, ..test };
        let above = self.at_most(above, lower);
        self.at_most(Test { yes: above, ..test }, upper)
    }

    fn split(&mut self, feature: u32, threshold: X, nan_left: bool, left: u32, right: u32) -> u32 {
        let depth = 1 + self.depths[left as usize].max(self.depths[right as usize]);
        self.push(Lean::Split { feature, threshold, nan_left, left, right }, depth)
    }
}

/// A comparison about to be lowered: where its yes and its no lead, and which of them NaN takes.
#[derive(Clone, Copy)]
struct Test {
    feature: u32,
    threshold: f64,
    yes: u32,
    no: u32,
    nan_yes: bool,
}

impl Test {
    fn inverted(self) -> Test {
        Test { yes: self.no, no: self.yes, nan_yes: !self.nan_yes, ..self }
    }
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
        match (*state, tree.nodes[index as usize]) {
            (Seen::Not, Node::Split { on_true, on_false, .. }) => {
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
