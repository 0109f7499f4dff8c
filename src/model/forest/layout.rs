//! The compiled form: one array of small nodes for all trees, children adjacent and after their parents.
//!
//! A descent is `at += step + !(x[slot] <= threshold)`, as often as the tree is deep. A leaf steps by zero: its slot
//! is the constant [`Scalar::LEAST`], which is `<=` whatever the leaf keeps in its threshold, so that no input,
//! NaN included, moves a row off it. NaN that goes left is a slot of its own, in which NaN has become that constant.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::lower::{Lean, Lowered};
use super::scalar::Scalar;

/// A node: 8 bytes with `f32` and `u16`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Cell<X, I> {
    /// The bound of a split; what a leaf keeps for the caller (a weight, or its number).
    pub(super) threshold: X,
    /// Which of the expanded row's values is compared.
    pub(super) slot: I,
    /// How far on the left child is; the right child is one further. Zero in a leaf.
    pub(super) step: I,
}

/// An unsigned number wide enough for slots and steps: `u16` or `u32`.
pub(super) trait Index: Copy + Default + Into<u32> + TryFrom<usize> + Send + Sync + 'static {}
impl Index for u16 {}
impl Index for u32 {}

/// How a row is laid out before the descent: its columns, the constant, then (if any split wants it) its columns
/// again with NaN as the constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Slots {
    pub(super) features: usize,
    pub(super) nan_left: bool,
}

impl Slots {
    pub(super) fn count(self) -> usize {
        if self.nan_left { 2 * self.features + 1 } else { self.features + 1 }
    }

    fn of(self, feature: u32, nan_left: bool) -> usize {
        if nan_left { self.constant() + 1 + feature as usize } else { feature as usize }
    }

    pub(super) fn constant(self) -> usize {
        self.features
    }
}

/// Appends a lowered tree to `cells`; false, with `cells` left unfit for use, if `I` is too narrow for it.
pub(super) fn append<X: Scalar, I: Index>(
    tree: &Lowered<X>,
    slots: Slots,
    mut keep: impl FnMut(u32, u32) -> X,
    cells: &mut Vec<Cell<X, I>>,
) -> bool {
    let pairs = Pairs::of(tree);
    let start = cells.len();
    cells.resize(start + 1 + 2 * pairs.order.len(), Cell::default());
    let mut put = |at: usize, node: u32| {
        let (threshold, slot, step) = match tree.nodes[node as usize] {
            Lean::Leaf { first, count } => (keep(first, count), slots.constant(), 0),
            Lean::Split { feature, threshold, nan_left, left, right } => {
                (threshold, slots.of(feature, nan_left), pairs.at[&(left, right)].place - at)
            }
        };
        let (Ok(slot), Ok(step)) = (I::try_from(slot), I::try_from(step)) else { return false };
        cells[start + at] = Cell { threshold, slot, step };
        true
    };
    put(0, tree.root)
        && pairs.order.iter().all(|pair| {
            let place = pairs.at[pair].place;
            put(place, pair.0) && put(place + 1, pair.1)
        })
}

/// The distinct pairs of children and where each stands in its tree. A node that is a child in several pairs is
/// repeated, but never what lies below it.
struct Pairs {
    at: HashMap<(u32, u32), Pair>,
    order: Vec<(u32, u32)>,
}

struct Pair {
    level: u32,
    place: usize,
}

impl Pairs {
    fn of<X: Scalar>(tree: &Lowered<X>) -> Pairs {
        let mut level = vec![None; tree.nodes.len()];
        let mut pairs = Pairs { at: HashMap::new(), order: Vec::new() };
        level[tree.root as usize] = Some(0);
        for (index, node) in tree.nodes.iter().enumerate().rev() {
            let (Some(above), Lean::Split { left, right, .. }) = (level[index], node) else { continue };
            let below = above + 1;
            match pairs.at.entry((*left, *right)) {
                Entry::Occupied(mut pair) => pair.get_mut().level = pair.get().level.max(below),
                Entry::Vacant(pair) => {
                    pair.insert(Pair { level: below, place: 0 });
                    pairs.order.push((*left, *right));
                }
            }
            for child in [*left, *right] {
                level[child as usize] = level[child as usize].max(Some(below));
            }
        }
        pairs.order.sort_by_key(|pair| pairs.at[pair].level);
        for (number, pair) in pairs.order.iter().enumerate() {
            if let Some(pair) = pairs.at.get_mut(pair) {
                pair.place = 1 + 2 * number;
            }
        }
        pairs
    }
}
