//! QUIC between nodes.
//!
//! # Who speaks to whom
//! A node dials every peer it sends to, and reads from whoever dials it: between two nodes each direction has its own
//! connections, three of them, one a [`Lane`]. So nobody has to agree on who dials, and a side that cannot be reached
//! is not seen as if it could. Members are dialled for ever ([`Net::list`]); nodes met at a seed or by their own dialling
//! get a control connection until the catalogue says whether they are members.
//!
//! # Who is who
//! The cluster's secret makes an authority that every node can derive; each issues itself a certificate under it that
//! names its node id, and both sides of every connection show theirs ([`identity`]). Then both say hello ([`hello`]):
//! version, node, incarnation, cluster. What is handed to the rooms above as [`Peer`] has been verified so. Who does not
//! fit is refused, and both sides say why, once a minute at most.
//!
//! # What is sent
//! * *Calls* ([`Call`]): a stream each, with a deadline. Whoever asks learns the answer, or that it is unknown.
//! * *One-way messages* ([`Net::send`]): beacons on control, frames of the partition cores on data, fills on bulk. They
//!   wait in an outbox bounded in bytes, and those of one key stay in order. What finds no room or no connection is
//!   dropped and counted: the cores repeat.
//!
//! The room knows none of the messages: they are types of the rooms above, written by the one [`codec`].
//!
//! # Bounds
//! Whatever comes from outside is bounded before memory is given to it: handshakes under way, hellos, messages, streams,
//! windows. What is known of a stranger is its address, and that only for a minute.
//!
//! # Tasks
//! `node` starts the room and ends it; in between the room spawns its tasks on the runtime it was started on, into a set
//! that it owns: one for the socket's incoming connections, one for each of those, one for each lane dialled, one a seed.

mod accept;
mod backoff;
mod call;
pub mod codec;
mod dial;
mod framing;
mod handlers;
mod hello;
mod identity;
mod lane;
mod link;
mod links;
mod outbox;
mod raw;
mod refusal;
mod resolve;
mod seeds;
mod seldom;
mod shared;
mod start;
mod stream;
#[cfg(test)]
mod tests;
mod transport;
mod write;

pub use call::Call;
pub use hello::Peer;
pub use lane::Lane;
pub use raw::Raw;
pub use shared::Seen;
pub use start::{Net, Options};
