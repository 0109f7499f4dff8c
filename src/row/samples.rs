//! Schemas and rows for the room's tests.

use proptest::{collection::vec, option, prelude::*};

use super::{Builder, Column, Kind, Scalar, Schema, VectorRef, Writer};
use crate::types::{SchemaId, Timestamp};

/// A column of every kind, then scores.
pub(crate) fn schema() -> Schema {
    Schema::new(
        SchemaId(7),
        vec![
            Column::new("flag", Kind::Bool),
            Column::new("small", Kind::I32).range(-100.0, 100.0),
            Column::new("big", Kind::I64).nullable(),
            Column::new("single", Kind::F32).nullable(),
            Column::new("double", Kind::F64).range(0.0, None),
            Column::new("name", Kind::Str),
            Column::new("blob", Kind::Bytes).nullable(),
            Column::new("note", Kind::Str).nullable(),
            Column::new("at", Kind::Timestamp).nullable(),
            Column::new("embedding", Kind::Vector(3)).nullable(),
            Column::score("score", Kind::F32),
            Column::score("label", Kind::Str),
        ],
    )
    .unwrap()
}

/// A row of [`schema`] as a client writes it.
pub(crate) fn row(schema: &Schema) -> Vec<u8> {
    let mut builder = Builder::new(schema);
    builder.set_named("flag", Scalar::Bool(true)).unwrap();
    builder.set_named("small", Scalar::I32(-7)).unwrap();
    builder.set_named("double", Scalar::F64(2.5)).unwrap();
    builder.set_named("note", Scalar::Str("zwölf")).unwrap();
    builder.set_named("name", Scalar::Str("ann")).unwrap();
    builder.set_named("at", Scalar::Timestamp(Timestamp(1_700_000_000_123))).unwrap();
    builder.finish().unwrap()
}

/// One value, owned.
#[derive(Clone, Debug)]
pub(crate) enum Owned {
    Null,
    Bool(bool),
    I32(i32),
    I64(i64),
    F32(f32),
    F64(f64),
    Str(String),
    Bytes(Vec<u8>),
    Timestamp(i64),
    Vector(Vec<u8>),
}

impl Owned {
    pub(crate) fn scalar(&self) -> Scalar<'_> {
        match self {
            Owned::Null => Scalar::Null,
            Owned::Bool(value) => Scalar::Bool(*value),
            Owned::I32(value) => Scalar::I32(*value),
            Owned::I64(value) => Scalar::I64(*value),
            Owned::F32(value) => Scalar::F32(*value),
            Owned::F64(value) => Scalar::F64(*value),
            Owned::Str(value) => Scalar::Str(value),
            Owned::Bytes(value) => Scalar::Bytes(value),
            Owned::Timestamp(value) => Scalar::Timestamp(Timestamp(*value)),
            Owned::Vector(value) => Scalar::Vector(VectorRef::from_le_bytes(value)),
        }
    }
}

/// Any value that the column can hold, as the grid may write it.
fn value(column: &Column) -> BoxedStrategy<Owned> {
    let (min, max) = (column.min.unwrap_or(f64::NEG_INFINITY), column.max.unwrap_or(f64::INFINITY));
    let some = match column.kind {
        Kind::Bool => any::<bool>().prop_map(Owned::Bool).boxed(),
        Kind::I32 => {
            any::<i32>().prop_map(move |value| Owned::I32(f64::from(value).clamp(min, max) as i32)).boxed()
        }
        Kind::I64 => any::<i64>().prop_map(Owned::I64).boxed(),
        Kind::F32 => any::<f32>().prop_map(Owned::F32).boxed(),
        Kind::F64 => any::<f64>().prop_map(move |value| Owned::F64(value.clamp(min, max))).boxed(),
        Kind::Str => ".{0,20}".prop_map(Owned::Str).boxed(),
        Kind::Bytes => vec(any::<u8>(), 0..20).prop_map(Owned::Bytes).boxed(),
        Kind::Timestamp => (-62_000_000_000_000i64..250_000_000_000_000).prop_map(Owned::Timestamp).boxed(),
        Kind::Vector(len) => vec(any::<f32>(), len as usize)
            .prop_map(|values| Owned::Vector(values.iter().flat_map(|value| value.to_le_bytes()).collect()))
            .boxed(),
    };
    if column.nullable {
        option::of(some).prop_map(|value| value.unwrap_or(Owned::Null)).boxed()
    } else {
        some.boxed()
    }
}

/// Any values of a row of the schema.
pub(crate) fn values(schema: &Schema) -> impl Strategy<Value = Vec<Owned>> + use<> {
    schema.columns().iter().map(value).collect::<Vec<_>>()
}

/// Packs values, scores included.
pub(crate) fn pack(schema: &Schema, values: &[Owned]) -> Vec<u8> {
    let mut builder = Builder::of(schema, Writer::Grid);
    for (i, value) in values.iter().enumerate().rev() {
        builder.set(i, value.scalar()).unwrap();
    }
    builder.finish().unwrap()
}
