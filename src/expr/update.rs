//! `SET a = a + 1, b = ..`: an update run on one row.

use super::{
    Expr, Scope, Source, parse,
    parse::place,
    value::{Type, Value},
};
use crate::{
    row::{Builder, Column, Kind, RowRef, Schema},
    types::{Error, KeyKind, KeyRef, Result, SchemaId},
};

/// Assignments to columns of a feature map. All right sides see the row as it was.
#[derive(Clone, Debug)]
pub struct Update {
    text: Box<str>,
    schema: SchemaId,
    assignments: Vec<Assignment>,
}

#[derive(Clone, Debug)]
struct Assignment {
    column: usize,
    name: Box<str>,
    value: Expr,
}

impl Update {
    /// Parses and type-checks `SET column = expression, ..`.
    pub fn parse(text: &str, schema: &Schema, key: Option<KeyKind>) -> Result<Update> {
        let scope = Scope::feature(schema, key);
        let mut assignments: Vec<Assignment> = Vec::new();
        for (name, tree) in parse::assignments(text)? {
            let at = place(name.span.start);
            let column = schema
                .require(&name.value)
                .map_err(|error| Error { message: format!("{}{at}", error.message).into(), ..error })?;
            let value = Expr::compile(text, &tree, &scope)?;
            assignable(&schema.columns()[column], value.value_type(), &at)?;
            if assignments.iter().any(|earlier| earlier.column == column) {
                return Err(Error::invalid(format!("the column `{}` is set twice{at}", name.value)));
            }
            assignments.push(Assignment { column, name: name.value.into(), value });
        }
        Ok(Update { text: text.into(), schema: schema.id(), assignments })
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The schema it was checked against: it runs on rows read through that one.
    pub fn schema(&self) -> SchemaId {
        self.schema
    }

    /// The row as it is after the update, under the schema that reads `row`. Its scores are null: they belonged to the
    /// row as it was.
    pub fn apply(&self, row: RowRef<'_>, key: KeyRef<'_>) -> Result<Vec<u8>> {
        let schema = row.schema();
        if schema.id() != self.schema {
            return Err(Error::internal(format!(
                "`{}` was parsed for another schema than the row's",
                self.text
            )));
        }
        let source = Source::row(row, key);
        let mut builder = Builder::new(schema);
        for (i, value) in row.values().enumerate().take(schema.data_columns()) {
            if !value.is_null() && self.assignments.iter().all(|assignment| assignment.column != i) {
                builder.set(i, value)?;
            }
        }
        for assignment in &self.assignments {
            let value: Value<'_> = assignment.value.eval(&source)?;
            builder
                .set(assignment.column, value.scalar())
                .map_err(|error| error.within(format_args!("SET {}", assignment.name)))?;
        }
        builder.finish()
    }
}

/// What can never fit is refused before any row is seen; what may fit is tried on each.
fn assignable(column: &Column, value: Type, at: &str) -> Result<()> {
    if column.is_score {
        return Err(Error::invalid(format!(
            "the column `{}` is a score, which clients cannot write{at}",
            column.name
        )));
    }
    let fits = match (column.kind, value) {
        (_, Type::Null) => column.nullable,
        (Kind::Timestamp, Type::Str | Type::Int) => true,
        (kind, value) => {
            let column = Type::of_column(kind);
            column == value || column.is_numeric() && value.is_numeric()
        }
    };
    if fits {
        return Ok(());
    }
    Err(Error::invalid(format!("the column `{}` is {}, not {value}{at}", column.name, column.kind)))
}
