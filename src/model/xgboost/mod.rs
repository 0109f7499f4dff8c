//! Models that XGBoost has saved: JSON or UBJSON of one content, told apart by their second byte.
//!
//! A model gives what `Booster.predict` gives, computed as XGBoost does: features are compared in 32 bits, each tree's leaf
//! is added in 32 bits in the order of the file, beginning with the base score, and the objective makes a prediction of the
//! sum. NaN is a missing value. Features of categories hold the categories' codes; what is no code that training has seen
//! (negative, unseen, infinite) goes where XGBoost sends it. All trees count, whatever the best iteration was: to leave
//! some out, save a slice of the Booster.
//!
//! The versions of XGBoost that are known are those of which this was written down from their sources; a newer one may mean
//! other things by the same words. Not computed: `gblinear`, trees with a vector at each leaf.

mod document;
mod ensemble;
mod json;
mod objective;
#[cfg(test)]
mod tests;
mod tree;
mod ubj;

use super::{Decoded, Error, Format, Limits};

/// Reads a file.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, Error> {
    Error::limit("the file's length in bytes", bytes.len(), limits.bytes)?;
    let document = match bytes.trim_ascii_start() {
        [] => return Err(unreadable("the file is empty")),
        _ if is_ubjson(bytes) => ubj::read(bytes, limits)?,
        [b'{', ..] => json::read(bytes, limits)?,
        [b'[', ..] => {
            return Err(unreadable("it is a list: a dump, which says nothing of the objective, is no model"));
        }
        _ => {
            return Err(unreadable(
                "it is neither JSON nor UBJSON: is it a pickle, or of the binary format that came before them?",
            ));
        }
    };
    Ok(ensemble::boosted(document)?.decoded())
}

/// Whether an object begins as UBJSON has it: a key's length follows, where in JSON its quote does.
pub(super) fn is_ubjson(bytes: &[u8]) -> bool {
    matches!(bytes, [b'{', b'i' | b'U' | b'I' | b'l' | b'L', ..])
}

fn unreadable(reason: impl Into<String>) -> Error {
    Error::decode(Format::Xgboost, reason)
}
