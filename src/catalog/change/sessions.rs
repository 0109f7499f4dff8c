//! Sessions.

use super::Change;
use crate::{
    catalog::{Catalogue, MAX_SESSION_BLOCK, Response},
    mutant::Mutant,
    types::{Error, SessionId},
};

pub(super) fn grant(catalogue: &mut Catalogue, count: u32) -> Change {
    if !(1..=MAX_SESSION_BLOCK).contains(&count) {
        return Err(Error::invalid(format!("a block of {count} sessions cannot be granted"))
            .hint(format!("blocks have 1 to {MAX_SESSION_BLOCK}")));
    }
    let first = catalogue.next.session;
    let next = first
        .checked_add(u64::from(count))
        .ok_or_else(|| Error::unavailable("the cluster has no session ids left"))?;
    catalogue.next.session = if Mutant::GrantsSessionsTwice.is_on() { next - 1 } else { next };
    Ok((Response::Sessions { first: SessionId(first), count }, false))
}
