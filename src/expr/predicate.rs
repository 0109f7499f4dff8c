//! Conditions on rows.

use super::{
    Expr, Scope, Source,
    value::{Type, Value},
};
use crate::types::{Error, Result};

/// An expression that is true or false, or unknown.
#[derive(Clone, Debug)]
pub struct Predicate(Expr);

impl Predicate {
    /// Parses and type-checks `text`, which must be a condition.
    pub fn parse(text: &str, scope: &Scope<'_>) -> Result<Predicate> {
        let expr = Expr::parse(text, scope)?;
        match expr.value_type() {
            Type::Bool | Type::Null => Ok(Predicate(expr)),
            other => Err(Error::invalid(format!("`{text}` is {other}, not a condition"))
                .hint("compare it with something, for example `score > 0.9`")),
        }
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        self.0.text()
    }

    /// The columns it reads, in order.
    pub fn columns(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.columns()
    }

    /// Whether it is true. What is unknown (null) or an error, such as a division by zero, is not.
    pub fn matches(&self, source: &Source<'_>) -> bool {
        matches!(self.0.evaluate(source), Ok(Value::Bool(true)))
    }
}
