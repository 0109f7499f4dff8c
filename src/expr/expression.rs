//! A parsed, type-checked expression.

use super::{
    compile,
    eval::{Fault, eval},
    node::Node,
    parse,
    scope::{Scope, Source, Stored},
    value::{Type, Value},
};
use crate::{
    row::Kind,
    types::{Result, SchemaId},
};

/// A parsed expression, type-checked against a scope.
#[derive(Clone, Debug)]
pub struct Expr {
    text: Box<str>,
    node: Node,
    value_type: Type,
    /// The schema whose columns it names.
    schema: Option<SchemaId>,
    columns: Box<[usize]>,
}

impl Expr {
    /// Parses and type-checks `text`. Errors name the place in the text and the nearest column.
    pub fn parse(text: &str, scope: &Scope<'_>) -> Result<Expr> {
        Expr::compile(text, &parse::expression(text)?, scope)
    }

    pub(super) fn compile(text: &str, tree: &sqlparser::ast::Expr, scope: &Scope<'_>) -> Result<Expr> {
        let (node, value_type) = compile::compile(tree, scope)?;
        let mut columns = Vec::new();
        node.collect_columns(&mut columns);
        columns.sort_unstable();
        columns.dedup();
        Ok(Expr {
            text: text.into(),
            node,
            value_type,
            schema: scope.schema.map(|schema| schema.id()),
            columns: columns.into(),
        })
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What its values are: integers are `I64`, floats `F64`; `None` if it is always null.
    pub fn kind(&self) -> Option<Kind> {
        self.value_type.kind()
    }

    /// The columns it reads, in order.
    pub fn columns(&self) -> impl Iterator<Item = usize> + '_ {
        self.columns.iter().copied()
    }

    /// Its value. Integer overflow, integer division by zero and a failed cast are errors.
    pub fn eval<'v>(&'v self, source: &Source<'v>) -> Result<Value<'v>> {
        self.evaluate(source).map_err(|fault| fault.explain(&self.text))
    }

    /// Its value as a number (a bool is 0 or 1); `None` if it is null or no number.
    pub fn eval_f64(&self, source: &Source<'_>) -> Result<Option<f64>> {
        Ok(self.eval(source)?.as_f64())
    }

    pub(super) fn value_type(&self) -> Type {
        self.value_type
    }

    pub(super) fn evaluate<'v>(&'v self, source: &Source<'v>) -> std::result::Result<Value<'v>, Fault> {
        let schema = match source.value {
            Stored::Row(row) => Some(row.schema().id()),
            Stored::Plain(_) => None,
        };
        if schema != self.schema {
            return Err(Fault::Schema);
        }
        eval(&self.node, source)
    }
}
