//! `embergrid binding delete`

use clap::Args;

/// Delete a binding; scores already stored stay.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid binding delete screening-malignant")]
pub(super) struct Delete {
    /// The binding's name.
    name: String,
}
