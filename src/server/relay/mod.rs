//! Operations passed on to the node of their primary.
//!
//! They travel as the client has packed them, in batches, each a call that comes back with all its answers. It is one hop:
//! whoever is asked and is not the primary says so, and the client tries again. A call whose answer is lost leaves it
//! unknown whether its operations took effect; sessions try again under the same request numbers, and so learn what came
//! of the first attempt (protocol rule 11).

mod incoming;
mod outgoing;
mod single;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    net::{Call, Net, Raw},
    node::Grid,
    types::{CatalogueVersion, SessionId},
};

pub(super) use self::{
    outgoing::Relays,
    single::{Fault, pass_on},
};

/// How long another node may take to answer.
pub(super) const WITHIN: Duration = Duration::from_secs(10);
/// Bytes of operations in one batch, unless a single one has more.
const BATCH_BYTES: usize = 256 << 10;
/// Bytes of one batch's answers, and of what they may become; operations past that are refused untouched. It is far less
/// than a call takes.
const ANSWER_BYTES: usize = 4 << 20;

/// Operations of partitions whose primary is at the node that is asked.
#[derive(Debug, Serialize, Deserialize)]
struct Operations {
    /// Whose they are; means nothing to operations without a request number.
    session: SessionId,
    acknowledged_below: u64,
    /// The catalogue that the sender goes by.
    catalogue: CatalogueVersion,
    /// How long they have waited: their deadlines count from then.
    waited_us: u64,
    /// Whether the answer to a put has the row where it holds what was not sent.
    shows_rows: bool,
    /// Each a [`crate::wire::v1::Op`], packed, under a tag of the sender.
    ops: Raw,
}

impl Call for Operations {
    const NAME: &'static str = "server.operations";
    /// Each a [`crate::wire::v1::Reply`], packed.
    type Answer = Raw;
}

/// Carries out what other nodes pass on.
pub(super) fn answer(grid: &Grid, net: &Net) {
    let grid = grid.downgrade();
    net.answer(move |_, operations: Operations| {
        let grid = grid.upgrade();
        async move { incoming::carry_out(grid?, operations).await }
    });
}
