//! The words every room shares: keys, ids, positions, time and error classes.

mod document;
mod error;
mod id;
mod key;
mod key_text;
mod name;
mod time;

pub use document::{MAX_DOCUMENT_BYTES, read_toml};
pub use error::{Class, Error, Result, nearest};
pub use id::{
    BindingId, CatalogueVersion, Digest, Epoch, Generation, Incarnation, JobId, JobsVersion, JoinId, MapId,
    NodeId, PartitionId, PlacementVersion, Position, RequestId, RowVersion, SchemaId, Seq, SessionId, Tenure,
};
pub use key::{Key, KeyError, KeyKind, KeyRef, MAX_KEY_BYTES, placement_hash};
pub use name::{MAX_NAME_CHARS, check_name};
pub use time::{Now, Timestamp};
