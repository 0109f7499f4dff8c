//! Names that are not there.

use crate::types::{Error, nearest};

/// That there is no `what` of this name, and which one is near.
pub(super) fn missing<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a String>) -> Error {
    let error = Error::not_found(format!("there is no {what} `{}`", name.escape_debug()));
    match nearest(name, known.into_iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error,
    }
}
