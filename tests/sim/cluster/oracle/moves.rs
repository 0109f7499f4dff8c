//! "A migration rejects no write."

use embergrid::types::{Class, Error};

use super::{Verdict, ensure};

/// What a primary answers a write while nodes do nothing but come and go.
pub(crate) fn check(refusal: Option<&Error>) -> Verdict {
    let is_for_a_move = |error: &&Error| matches!(error.class, Class::NotPrimary | Class::Unavailable);
    let refused = refusal.filter(is_for_a_move);
    ensure(refused.is_none(), || format!("a write is refused because of a move: {refused:?}"))
}
