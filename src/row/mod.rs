//! Schema and packed row.
//!
//! A [`Schema`] names and types the columns of a feature map. A row travels, is stored and is scored in one packed
//! form (see [`RowRef`] for the layout): reading a column is a bounds-checked load, with no parsing. Rows are made by
//! a [`Builder`], or from JSON ([`from_json`]), a struct ([`to_row`]) or a file's cells ([`text`]).

mod admission;
mod builder;
mod column;
mod convert;
mod de;
mod json;
mod kind;
mod layout;
mod packed;
#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod samples;
mod scalar;
mod schema;
pub mod schema_file;
mod scores;
mod ser;
pub mod text;

pub use admission::{Writer, check};
pub use builder::Builder;
pub use column::Column;
pub use de::from_row;
pub use json::{from_json, scalar_to_json, to_json};
pub use kind::Kind;
pub use packed::RowRef;
pub use scalar::{Scalar, VectorRef};
pub use schema::Schema;
pub use scores::with_scores;
pub use ser::to_row;

/// The longest packed row, in bytes.
pub const MAX_ROW_BYTES: usize = 1 << 20;
/// The most columns of a schema, scores included.
pub const MAX_COLUMNS: usize = 1024;
/// The longest name of a column, in bytes.
pub const MAX_NAME_BYTES: usize = 128;
