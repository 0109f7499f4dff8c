//! SQL scalar expressions over packed rows: predicates, derived features and updates.
//!
//! An expression is parsed by `sqlparser` (at most 16 KiB, nesting bounded before anything recurses), type-checked once
//! against a schema and evaluated on packed rows; numbers are never allocated.
//!
//! # The language
//!
//! Columns by name (`"quoted"` where the name is a keyword or has other characters), `__key`, and `this` for the value
//! of a plain map; numbers, `'text'`, `X'bytes'`, `TRUE`, `FALSE`, `NULL`, `TIMESTAMP '2024-01-31T12:00:00Z'`;
//! `+ - * / %`, `||`, `= <> < <= > >=`, `AND OR NOT`, `IS [NOT] NULL | TRUE | FALSE`, `[NOT] IN (..)`, `[NOT] BETWEEN`,
//! `[NOT] LIKE | ILIKE .. [ESCAPE ..]`, `CASE`, `CAST`, `TRY_CAST`, `EXTRACT(.. FROM ..)` in UTC, `COALESCE`, `NULLIF`,
//! `LEAST`, `GREATEST`,
//! `ABS CEIL COS EXP FLOOR LENGTH LN LOG10 LOG2 LOWER POWER ROUND SIGN SIN SQRT TAN UPPER`.
//!
//! # Where SQL leaves a choice
//!
//! - Null is unknown: arithmetic, comparison and functions of null are null, `AND` and `OR` are three-valued. `COALESCE`
//!   passes over nulls, and so do `LEAST` and `GREATEST`.
//! - Integers are 64 bits. Overflow and division by zero are errors; `/` of two integers cuts towards zero.
//! - Floats are IEEE 754 as in numpy: `x / 0.0` is infinite, `0.0 / 0.0` is NaN, NaN compares as false with everything.
//! - A number compared with an `f32` column is rounded to `f32` first, so that `score = 0.1` finds what was stored as 0.1.
//! - Text compared with a timestamp must be RFC 3339. `timestamp - timestamp` is milliseconds, and integers are added to
//!   timestamps as such.
//! - A key whose type the map does not declare reads as text.
//! - An error makes a predicate false for that row; as a feature or an update it refuses the row.

mod calendar;
mod cast;
mod compile;
mod eval;
mod expression;
mod function;
mod like;
mod node;
mod parse;
mod predicate;
mod scope;
#[cfg(test)]
mod tests;
mod update;
mod value;

pub use expression::Expr;
pub use predicate::Predicate;
pub use scope::{Scope, Source};
pub use update::Update;
pub use value::Value;
