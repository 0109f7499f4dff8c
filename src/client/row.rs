//! Rows as they are stored, read by name.

use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::score::Binding;
use crate::{
    row::{self, RowRef, Schema},
    types::{Error, Result, RowVersion},
};

/// A stored value: a row of a feature map, or the bytes of a plain one.
#[derive(Clone, Debug)]
pub struct Row {
    /// Changes whenever the row is written.
    pub version: RowVersion,
    /// Where the row's scores came from.
    pub lineage: Vec<Lineage>,
    value: Bytes,
    schema: Option<Arc<Schema>>,
}

/// Where a stored score came from.
#[derive(Clone, Debug)]
pub struct Lineage {
    /// The binding that stored it.
    pub binding: Arc<Binding>,
    /// The version of the model that computed it.
    pub model_version: u32,
    /// The version of the row that was scored.
    pub row_version: RowVersion,
}

impl Row {
    pub(super) fn new(
        version: RowVersion,
        value: Bytes,
        lineage: Vec<Lineage>,
        schema: Option<Arc<Schema>>,
    ) -> Self {
        Row { version, lineage, value, schema }
    }

    /// The packed row, or a plain map's bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.value
    }

    /// The columns. Fails for a plain map.
    pub fn columns(&self) -> Result<RowRef<'_>> {
        let schema = self
            .schema
            .as_deref()
            .ok_or_else(|| Error::invalid("the map is plain: its values have no columns"))?;
        RowRef::new(schema, &self.value)
    }

    /// Reads the columns into a struct, by name. Fails for a plain map.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        row::from_row(self.columns()?)
    }
}
