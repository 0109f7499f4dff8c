//! PURE: one session of the SDK: which operations leave for which node, under which numbers, and what becomes of them when
//! answers arrive, primaries move, streams break or time runs out.
//!
//! A session has one identity and one row of numbers, and a [link](LinkId) to each node of the cluster. An operation
//! leaves over the link to its partition's primary, as the latest [`Topology`] has it; where that node cannot be
//! reached, over any other: the node there hands it on. Until it is answered it is under way on one link alone; only if that link
//! breaks, or the answer is that the time or the place was wrong, it is sent again, maybe over another.
//!
//! A write keeps its number however often and wherever it is sent, so that the grid can answer a retry with the first
//! answer (protocol rule 11). Numbers are given when a write is first sent; one whose outcome nobody waits for any more
//! is settled, never sent again.
//!
//! What an operation is, and how an answer looks, is not known here: the client packs frames, the simulator does not.

mod calling;
mod link;
mod machine;
mod numbers;
mod reply;
mod routing;
mod stream;
#[cfg(test)]
mod tests;
mod topology;

pub use calling::{Answers, Caller, Limits, Operation};
pub use link::LinkId;
pub use machine::Session;
pub use stream::{Hello, Identity, Welcome};
pub use topology::{Node, Topology};
