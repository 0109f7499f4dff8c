//! "A lost or unavailable partition answers with an error, never as if empty."

use super::{History, Verdict, ensure};

/// A replica answers with something else than an error.
pub(crate) fn answers(history: &History) -> Verdict {
    ensure(!history.is_lost(), || "a lost partition answers as if it were there".into())
}
