//! What travels: the generated protobuf of `embergrid.v1`, and how the house's types are written in it.

mod error;
mod frame;
mod limits;
mod op;
mod schema;

/// The messages and services of `proto/embergrid/v1`, generated.
#[allow(missing_docs, unreachable_pub, clippy::all)]
pub mod v1 {
    tonic::include_proto!("embergrid.v1");
}

/// The descriptors of [`v1`], for reflection.
pub const DESCRIPTORS: &[u8] = tonic::include_file_descriptor_set!("embergrid.v1");

pub use frame::{ClientFrame, Element, Elements, Packed, ServerFrame, TAG};
pub use limits::{MAX_FRAME_BYTES, MAX_OUTSTANDING};
pub use op::OpRef;
pub use schema::present_schema;
