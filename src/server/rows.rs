//! Rows and keys by name, for clients without an SDK.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;

use super::answer;
use crate::{
    binding::Compiled,
    partition::MapView,
    row::{Builder, RowRef, Scalar, Schema, VectorRef},
    store::Record,
    types::{BindingId, Error, Key, KeyRef, Result, Timestamp},
    wire::v1::{self, key::Payload, row::Form, value::Kind},
};

/// The key that a request names.
pub(super) fn key(wire: Option<v1::Key>) -> Result<Key> {
    let wire = wire.unwrap_or_default();
    let affinity = wire.affinity.as_deref();
    let payload = wire.payload.as_ref().ok_or_else(|| {
        Error::invalid("the request has no key").hint("give `key` one of `i64`, `str`, `bytes`, `packed`")
    })?;
    let payload = match payload {
        Payload::Packed(_) if affinity.is_some() => {
            return Err(
                Error::invalid("a packed key holds its affinity already").hint("leave `affinity` out")
            );
        }
        Payload::Packed(packed) => return Ok(Key::from_packed(packed)?),
        Payload::I64(number) => KeyRef::I64(*number),
        Payload::Str(text) => KeyRef::Str(text),
        Payload::Bytes(bytes) => KeyRef::Bytes(bytes),
    };
    Ok(Key::new(payload, affinity)?)
}

/// A stored row's key, as unary answers and events give it.
pub(super) fn wire_key(key: &Key) -> v1::Key {
    let payload = match key.payload() {
        KeyRef::I64(number) => Payload::I64(number),
        KeyRef::Str(text) => Payload::Str(text.to_string()),
        KeyRef::Bytes(bytes) => Payload::Bytes(Bytes::copy_from_slice(bytes)),
    };
    v1::Key { payload: Some(payload), affinity: key.affinity().map(Bytes::copy_from_slice) }
}

/// The value to store: packed as it came, or packed here by the map's schema.
pub(super) fn value(map: &MapView, wire: Option<v1::Row>) -> Result<Bytes> {
    match wire.and_then(|row| row.form) {
        Some(Form::Packed(packed)) => Ok(packed),
        Some(Form::Columns(columns)) => {
            let schema = map.map.schema().ok_or_else(|| {
                Error::invalid(format!("the map `{}` is plain: its values are bytes", map.map.name))
                    .hint("give the value as `row.packed`")
            })?;
            pack(schema, &columns.values)
        }
        None => Err(Error::invalid("the request has no row").hint("give `row` one of `columns`, `packed`")),
    }
}

fn pack(schema: &Schema, values: &HashMap<String, v1::Value>) -> Result<Bytes> {
    let mut builder = Builder::new(schema);
    for (name, value) in values {
        let column = schema.require(name)?;
        let vector;
        let scalar = match value.kind.as_ref() {
            None | Some(Kind::Null(_)) => Scalar::Null,
            Some(Kind::Bool(value)) => Scalar::Bool(*value),
            Some(Kind::Int(value)) => Scalar::I64(*value),
            Some(Kind::Float(value)) => Scalar::F64(*value),
            Some(Kind::Str(text)) => Scalar::Str(text),
            Some(Kind::Bytes(bytes)) => Scalar::Bytes(bytes),
            Some(Kind::TimestampMs(ms)) => Scalar::Timestamp(Timestamp(*ms)),
            Some(Kind::Vector(elements)) => {
                vector =
                    elements.elements.iter().flat_map(|element| element.to_le_bytes()).collect::<Vec<u8>>();
                Scalar::Vector(VectorRef::from_le_bytes(&vector))
            }
        };
        builder.set(column, scalar)?;
    }
    Ok(builder.finish()?.into())
}

/// A stored row by name.
pub(super) fn view(map: &MapView, record: &Record) -> Result<v1::RowView> {
    let mut view = v1::RowView { version: record.row_version().0, ..Default::default() };
    match map.map.schema() {
        Some(schema) => view.columns = Some(columns(RowRef::trusted(schema, record.value())?)),
        None => view.value = Some(Bytes::copy_from_slice(record.value())),
    }
    let named = |from: crate::store::Lineage| {
        let (binding, model) = names(map, from.binding);
        v1::NamedLineage { binding, model, model_version: from.model_version, row_version: view.version }
    };
    view.lineage = record.lineage().map(named).collect();
    Ok(view)
}

fn columns(row: RowRef<'_>) -> v1::Columns {
    let names = row.schema().columns().iter().map(|column| column.name.clone());
    v1::Columns { values: names.zip(row.values().map(wire_value)).collect() }
}

fn wire_value(scalar: Scalar<'_>) -> v1::Value {
    let kind = match scalar {
        Scalar::Null => Kind::Null(true),
        Scalar::Bool(value) => Kind::Bool(value),
        Scalar::I32(value) => Kind::Int(value.into()),
        Scalar::I64(value) => Kind::Int(value),
        Scalar::F32(value) => Kind::Float(value.into()),
        Scalar::F64(value) => Kind::Float(value),
        Scalar::Str(text) => Kind::Str(text.to_string()),
        Scalar::Bytes(bytes) => Kind::Bytes(Bytes::copy_from_slice(bytes)),
        Scalar::Timestamp(at) => Kind::TimestampMs(at.0),
        Scalar::Vector(vector) => Kind::Vector(v1::Vector { elements: vector.iter().collect() }),
    };
    v1::Value { kind: Some(kind) }
}

/// The scores that a row carries, by name.
pub(super) fn named_scores(map: &MapView, record: &Record) -> Result<Vec<v1::NamedScore>> {
    let Some(schema) = map.map.schema() else { return Ok(Vec::new()) };
    let row = RowRef::trusted(schema, record.value())?;
    let named = |from: crate::store::Lineage| {
        let values = binding(map, from.binding).map(|binding| {
            let values = answer::named_scores(schema, row, binding);
            values.map(|(name, value)| (name.to_string(), wire_value(value))).collect()
        });
        let (binding, model) = names(map, from.binding);
        v1::NamedScore {
            binding,
            values: values.unwrap_or_default(),
            model,
            model_version: from.model_version,
        }
    };
    Ok(record.lineage().map(named).collect())
}

pub(super) fn binding(map: &MapView, id: BindingId) -> Option<&Arc<Compiled>> {
    map.bindings.iter().find(|binding| binding.id == id)
}

/// The names of a binding and its model; of a binding that is no more, its number.
pub(super) fn names(map: &MapView, id: BindingId) -> (String, String) {
    match binding(map, id) {
        Some(binding) => (binding.name.to_string(), binding.model.name.to_string()),
        None => (format!("#{id}"), String::new()),
    }
}

/// A stored row's key as the SDK reads it.
pub(super) fn packed_key(record: &Record) -> v1::Key {
    v1::Key { payload: Some(Payload::Packed(Bytes::copy_from_slice(record.key()))), affinity: None }
}
