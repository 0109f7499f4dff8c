//! Where each feature comes from.

use std::sync::Arc;

use super::compiled::{FeaturePlan, Source};
use crate::{
    catalog::{BindingFile, Map},
    expr::{Expr, Scope},
    row::{Kind, Schema},
    types::{Error, Result},
};

/// The source of a feature: its expression, or the column of the same name.
pub(super) fn plan(name: &str, file: &BindingFile, map: &Map, schema: &Schema) -> Result<FeaturePlan> {
    let text = file.features.get(name).map(|text| text.trim());
    let source = match text {
        // A column by another name needs no expression, and may be a vector.
        Some(text) if schema.column(text).is_none() => expression(text, map, schema),
        _ => column(text.unwrap_or(name), schema),
    };
    let source = source.map_err(|error| error.within(format_args!("feature `{name}`")))?;
    Ok(FeaturePlan { name: Arc::from(name), source })
}

fn column(name: &str, schema: &Schema) -> Result<Source> {
    let at = schema.require(name)?;
    check_written(at, schema)?;
    match schema.columns()[at].kind {
        Kind::Bool | Kind::I32 | Kind::I64 | Kind::F32 | Kind::F64 | Kind::Timestamp => {
            Ok(Source::Column(at))
        }
        Kind::Vector(len) => Ok(Source::Vector { column: at, len: len as usize }),
        kind @ (Kind::Str | Kind::Bytes) => {
            Err(Error::invalid(format!("the column `{name}` is {kind}, not a number"))
                .hint("give the feature an expression that makes it a number, under [features]"))
        }
    }
}

fn expression(text: &str, map: &Map, schema: &Schema) -> Result<Source> {
    let expression = Expr::parse(text, &Scope::feature(schema, map.key_kind))?;
    expression.columns().try_for_each(|column| check_written(column, schema))?;
    match expression.kind() {
        Some(Kind::Bool | Kind::I32 | Kind::I64 | Kind::F32 | Kind::F64 | Kind::Timestamp) => {
            Ok(Source::Expression(Arc::new(expression)))
        }
        Some(kind) => Err(Error::invalid(format!("`{text}` is {kind}, not a number"))),
        None => Err(Error::invalid(format!("`{text}` is always null"))),
    }
}

/// A score is no feature: at a write it is what the last row was scored, or null.
fn check_written(column: usize, schema: &Schema) -> Result<()> {
    let column = &schema.columns()[column];
    if !column.is_score {
        return Ok(());
    }
    Err(Error::invalid(format!("the column `{}` is a score, which is null until scored", column.name))
        .hint("features are read from columns that clients write"))
}

impl FeaturePlan {
    /// Elements a row.
    pub(super) fn width(&self) -> usize {
        match self.source {
            Source::Column(_) | Source::Expression(_) => 1,
            Source::Vector { len, .. } => len,
        }
    }
}
