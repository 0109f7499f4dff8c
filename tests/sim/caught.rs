//! A panic is a failure like any other.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What comes of a run, though it panics.
pub(crate) fn caught<T>(run: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).into()))
            .unwrap_or("it panicked".into()))
    })
}
