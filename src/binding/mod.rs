//! PURE: a binding compiled for one version of the catalogue.
//!
//! [`compile`] turns the names of a binding file into positions, once: which columns or expressions fill which element
//! of which model input, and which output element becomes which score column. What is left for every write is
//! [`Compiled::gather`], which appends one row to a batch of [`Features`] with no look-up by name, and what comes back
//! is [`Scores`].

mod admit;
mod cast;
mod compile;
mod compiled;
mod features;
mod gather;
mod outputs;
mod scores;
mod sources;
#[cfg(test)]
mod tests;

pub use admit::{admit, compile_all};
pub use compile::compile;
pub use compiled::{Compiled, ModelKey, OutputPlan};
pub use features::{Features, Matrix};
pub use scores::{Score, ScoreValue, Scores};

pub use crate::catalog::{Mode, Nan, OnDeadline};
