//! Maps.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    row::Schema,
    types::{KeyKind, MapId},
};

/// A map of the cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Map {
    /// Never reused, so an entry of a dropped map cannot reach its namesake.
    pub id: MapId,
    /// Its name.
    pub name: String,
    /// What users call the key: a column name in files.
    pub key_name: Option<String>,
    /// The only kind of key it takes; any kind if none.
    pub key_kind: Option<KeyKind>,
    /// What its values are.
    pub kind: MapKind,
}

/// What a map's values are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MapKind {
    /// Opaque bytes.
    Plain,
    /// Rows.
    Feature {
        /// Every version of the schema, oldest first; never empty. The last one reads the rows of all.
        schemas: Vec<Arc<Schema>>,
    },
}

impl Map {
    /// The schema under which rows are written now; none for a plain map.
    pub fn schema(&self) -> Option<&Arc<Schema>> {
        match &self.kind {
            MapKind::Plain => None,
            MapKind::Feature { schemas } => schemas.last(),
        }
    }
}
