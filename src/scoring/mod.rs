//! Batches of rows over loaded models.
//!
//! A worker gathers the rows of one tick that wait for the same binding into a [`Batch`] and runs it, inline if it
//! is cheap, else on the score pool: under load batches grow by themselves and no timer is needed.

mod batch;
mod kind;
mod models;
mod signature;

pub use batch::{Batch, Batcher};
pub use kind::{format_of, kind_of};
pub use models::{Loaded, Models};
pub use signature::{Signature, zeros};
