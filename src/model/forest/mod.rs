//! Tree ensembles, compiled to one flat forest that is descended without branches.
//!
//! [`Ensemble`] is what a file states; [`Forest`] is what runs. The forest gives each row the same leaves as the
//! ensemble does, for every number, NaN and infinities included. Weights are added in one order, whatever the batch: a
//! row's result does not depend on the rows it came with. They are added in `f64`, unless the ensemble says otherwise.

mod compile;
mod descend;
mod ensemble;
mod fold;
mod layout;
mod lower;
mod scalar;
#[cfg(test)]
mod tests;

pub use ensemble::{Aggregate, Ensemble, Limits, Mode, Node, Set, Tree, Weight};
pub use scalar::Scalar;

use crate::types::{Error, Result};
use compile::Flat;
use layout::Slots;

/// Descents that run side by side, hiding each other's latency.
const LANES: usize = 8;

/// A compiled ensemble over rows of `X`, the width in which values and thresholds are compared.
#[derive(Clone, Debug)]
pub struct Forest<X> {
    trees: Trees<X>,
    slots: Slots,
    targets: usize,
    aggregate: Aggregate,
    base: Vec<f64>,
}

/// Almost every forest is narrow; wide are those whose trees or rows `u16` can't address.
#[derive(Clone, Debug)]
enum Trees<X> {
    Narrow(Flat<X, u16>),
    Wide(Flat<X, u32>),
}

impl<X: Scalar> Forest<X> {
    /// Compiles an ensemble.
    ///
    /// # Errors
    /// If the ensemble exceeds `limits`, has a cycle, names a node, set, weight or target that doesn't exist, or holds
    /// a weight that is NaN.
    pub fn compile(ensemble: &Ensemble, limits: &Limits) -> Result<Forest<X>> {
        let features = compile::check(ensemble, limits)?;
        let lowered = compile::lower::<X>(ensemble, limits)?;
        let slots = Slots { features, nan_left: compile::nan_left(&lowered) };
        let trees =
            match Flat::of(ensemble, &lowered, slots) {
                Some(flat) => Trees::Narrow(flat),
                None => Trees::Wide(Flat::of(ensemble, &lowered, slots).ok_or_else(|| {
                    Error::invalid("the tree ensemble has more leaves than can be addressed")
                })?),
            };
        let mut base = ensemble.base.clone();
        base.resize(ensemble.targets, 0.0);
        Ok(Forest { trees, slots, targets: ensemble.targets, aggregate: ensemble.aggregate, base })
    }

    /// The numbers of each of `rows` rows of `x`, which holds row after row of `columns` columns, into `out`, which
    /// has [`targets`](Self::targets) places a row.
    ///
    /// # Panics
    /// If the lengths of `x` and `out` are not those, or a row has fewer columns than [`features`](Self::features).
    pub fn sum(&self, x: &[X], rows: usize, columns: usize, out: &mut [X]) {
        assert!(columns >= self.slots.features, "a row has the columns that the trees compare");
        assert_eq!(x.len(), rows * columns, "whole rows");
        assert_eq!(out.len(), rows * self.targets, "one place a row and target");
        match &self.trees {
            Trees::Narrow(flat) => descend::sum(self, flat, x, columns, out),
            Trees::Wide(flat) => descend::sum(self, flat, x, columns, out),
        }
    }

    /// How many numbers a row's result has.
    pub fn targets(&self) -> usize {
        self.targets
    }

    /// How many columns a row must have: one more than the last that a split compares.
    pub fn features(&self) -> usize {
        self.slots.features
    }

    /// How many nodes there are, leaves included.
    pub fn nodes(&self) -> usize {
        match &self.trees {
            Trees::Narrow(flat) => flat.cells.len(),
            Trees::Wide(flat) => flat.cells.len(),
        }
    }

    /// How much memory the trees take.
    pub fn bytes(&self) -> usize {
        match &self.trees {
            Trees::Narrow(flat) => flat.bytes(),
            Trees::Wide(flat) => flat.bytes(),
        }
    }
}
