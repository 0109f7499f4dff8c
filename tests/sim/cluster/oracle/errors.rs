//! "A lost or unavailable partition answers with an error, never as if empty."

use super::{History, Verdict, ensure};

/// A replica lets a row be read, or says that there is none. (What was written before the loss may be acknowledged after it.)
pub(crate) fn is_read(history: &History) -> Verdict {
    ensure(!history.is_lost(), || "a lost partition is read as if it were there".into())
}
