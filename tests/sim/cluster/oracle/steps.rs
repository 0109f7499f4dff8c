//! "Changed only through the control group, by compare-and-set" (protocol rule 1): a step is taken where it was decided, and
//! nowhere later.

use embergrid::catalog::{Configuration, ConfigurationChange};

use super::{Verdict, ensure};

/// A step was taken from this configuration.
pub(crate) fn check(before: &Configuration, change: &ConfigurationChange) -> Verdict {
    let is_there = (before.generation, before.epoch) == (change.generation, change.epoch);
    ensure(is_there, || format!("a step is taken from another configuration: {change:?} from {before:?}"))
}
