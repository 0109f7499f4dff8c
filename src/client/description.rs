//! What a client knows of a map.

use std::sync::Arc;

use super::score::Binding;
use crate::{
    row::Schema,
    types::{Error, KeyKind, MapId, Result},
    wire::{present_schema, v1},
};

/// What the cluster tells of a map.
#[derive(Clone, Debug)]
pub struct Description {
    /// The map's id.
    pub id: MapId,
    /// Its name.
    pub name: String,
    /// What the key is called, if it has a name.
    pub key_name: Option<String>,
    /// The only kind of key it takes; any kind if none.
    pub key_kind: Option<KeyKind>,
    /// The schema under which rows are written; none for a plain map.
    pub schema: Option<Arc<Schema>>,
    /// The bindings that score its rows.
    pub bindings: Vec<Arc<Binding>>,
}

impl Description {
    pub(super) fn new(wire: v1::MapDescription) -> Result<Self> {
        let key_kind = wire.key_kind().key();
        Ok(Description {
            id: MapId(wire.id),
            name: wire.name,
            key_name: (!wire.key_name.is_empty()).then_some(wire.key_name),
            key_kind,
            schema: present_schema(&wire.schemas)?,
            bindings: wire.bindings.into_iter().map(|binding| Arc::new(Binding::new(binding))).collect(),
        })
    }

    /// The schema, or a refusal that says the map has none.
    pub fn require_schema(&self) -> Result<&Arc<Schema>> {
        self.schema.as_ref().ok_or_else(|| {
            Error::invalid(format!("the map `{}` is plain: its values are bytes, not rows", self.name))
                .hint("write bytes with `put_raw`, read them with `get_raw`")
        })
    }

    pub(super) fn binding(&self, id: u32) -> Option<&Arc<Binding>> {
        self.bindings.iter().find(|binding| binding.id.0 == id)
    }
}
