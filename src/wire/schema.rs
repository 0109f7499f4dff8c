//! Schemas on the wire.

use std::sync::Arc;

use super::v1;
use crate::{
    row::{Column, Kind, Schema},
    types::{Error, KeyKind, Result, SchemaId},
};

impl From<KeyKind> for v1::Kind {
    fn from(kind: KeyKind) -> Self {
        match kind {
            KeyKind::I64 => v1::Kind::I64,
            KeyKind::Str => v1::Kind::Str,
            KeyKind::Bytes => v1::Kind::Bytes,
        }
    }
}

impl v1::Kind {
    /// As a kind of key; `None` for keys of every kind.
    pub fn key(self) -> Option<KeyKind> {
        match self {
            v1::Kind::I64 => Some(KeyKind::I64),
            v1::Kind::Str => Some(KeyKind::Str),
            v1::Kind::Bytes => Some(KeyKind::Bytes),
            _ => None,
        }
    }

    fn column(self, elements: u32) -> Option<Kind> {
        Some(match self {
            v1::Kind::Unspecified => return None,
            v1::Kind::Bool => Kind::Bool,
            v1::Kind::I32 => Kind::I32,
            v1::Kind::I64 => Kind::I64,
            v1::Kind::F32 => Kind::F32,
            v1::Kind::F64 => Kind::F64,
            v1::Kind::Str => Kind::Str,
            v1::Kind::Bytes => Kind::Bytes,
            v1::Kind::Timestamp => Kind::Timestamp,
            v1::Kind::Vector => Kind::Vector(elements),
        })
    }
}

impl From<&Schema> for v1::Schema {
    fn from(schema: &Schema) -> Self {
        v1::Schema { id: schema.id().0, columns: schema.columns().iter().map(Into::into).collect() }
    }
}

impl From<&Column> for v1::Column {
    fn from(column: &Column) -> Self {
        let (kind, elements) = match column.kind {
            Kind::Bool => (v1::Kind::Bool, 0),
            Kind::I32 => (v1::Kind::I32, 0),
            Kind::I64 => (v1::Kind::I64, 0),
            Kind::F32 => (v1::Kind::F32, 0),
            Kind::F64 => (v1::Kind::F64, 0),
            Kind::Str => (v1::Kind::Str, 0),
            Kind::Bytes => (v1::Kind::Bytes, 0),
            Kind::Timestamp => (v1::Kind::Timestamp, 0),
            Kind::Vector(elements) => (v1::Kind::Vector, elements),
        };
        v1::Column {
            name: column.name.clone(),
            kind: kind.into(),
            nullable: column.nullable,
            score: column.is_score,
            elements,
            min: column.min,
            max: column.max,
        }
    }
}

/// The present schema of a map whose schemas, oldest first, are these; `None` for a plain map.
///
/// The last schema reads the rows of all before it.
pub fn present_schema(schemas: &[v1::Schema]) -> Result<Option<Arc<Schema>>> {
    let mut present: Option<Schema> = None;
    for wire in schemas {
        let id = SchemaId(wire.id);
        let columns = wire.columns.iter().map(column).collect::<Result<_>>()?;
        present = Some(match present {
            None => Schema::new(id, columns)?,
            Some(before) => before.evolve(id, columns)?,
        });
    }
    Ok(present.map(Arc::new))
}

fn column(wire: &v1::Column) -> Result<Column> {
    let kind = wire.kind().column(wire.elements).ok_or_else(|| {
        Error::internal(format!("the column `{}` has a kind that this client does not know", wire.name))
            .hint("update the client")
    })?;
    let column = match wire.score {
        true => Column::score(wire.name.clone(), kind),
        false => Column::new(wire.name.clone(), kind),
    };
    let column = if wire.nullable { column.nullable() } else { column };
    Ok(column.range(wire.min, wire.max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_schemas_survives_the_wire() {
        let first = Schema::new(
            SchemaId(3),
            vec![
                Column::new("amount", Kind::F64).range(0.0, None),
                Column::new("embedding", Kind::Vector(4)).nullable(),
                Column::score("fraud", Kind::F32),
            ],
        )
        .unwrap();
        let mut columns = first.columns().to_vec();
        columns.insert(1, Column::new("country", Kind::Str).nullable());
        let second = first.evolve(SchemaId(5), columns).unwrap();
        let wire = [v1::Schema::from(&first), v1::Schema::from(&second)];
        assert_eq!(present_schema(&wire[..1]), Ok(Some(Arc::new(first))));
        assert_eq!(present_schema(&wire), Ok(Some(Arc::new(second))));
        assert_eq!(present_schema(&[]), Ok(None));
    }
}
