//! What value a column takes for what it is offered.
//!
//! A column takes what it can hold: integers that fit, floats rounded to its precision, whole floats as integers,
//! integers as epoch milliseconds, RFC 3339 text as a timestamp. All writers (builder, JSON, structs, files) share
//! these rules.

use super::{Column, Kind, Scalar};
use crate::types::{Error, Result, Timestamp};

/// The value as the column stores it, or a refusal that names column, value and bounds.
pub(super) fn fit<'a>(column: &Column, value: Scalar<'a>) -> Result<Scalar<'a>> {
    if value.is_null() {
        return if column.nullable { Ok(Scalar::Null) } else { Err(missing(column)) };
    }
    let stored = match value.kind() == Some(column.kind) {
        true => value,
        false => cast(column.kind, value).map_err(|why| misfit(column, value, why))?,
    };
    if column.min.is_some() || column.max.is_some() {
        in_range(column, stored)?;
    }
    Ok(stored)
}

#[cold]
fn misfit(column: &Column, value: Scalar<'_>, why: Misfit) -> Error {
    let error =
        Error::invalid(format!("the column `{}` is {}: {value} {}", column.name, column.kind, why.text()));
    match column.kind {
        Kind::Timestamp => error.hint("timestamps are RFC 3339 text or epoch milliseconds"),
        _ => error,
    }
}

/// Refuses a number outside the column's range; NaN passes.
pub(super) fn in_range(column: &Column, value: Scalar<'_>) -> Result<()> {
    if value.as_f64().is_none_or(|number| column.admits(number)) {
        return Ok(());
    }
    let bounds = match (column.min, column.max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => String::new(),
    };
    Err(Error::invalid(format!("the column `{}` takes {bounds}, not {value}", column.name)))
}

pub(super) fn missing(column: &Column) -> Error {
    Error::invalid(format!("the column `{}` is missing", column.name))
        .hint(format!("it is {} and not nullable", column.kind))
}

pub(super) fn score_written(column: &Column) -> Error {
    Error::invalid(format!("the column `{}` is a score, which clients cannot write", column.name))
        .hint("leave it out; the binding fills it")
}

#[derive(Clone, Copy)]
enum Misfit {
    Type,
    Overflow,
    Fraction,
    Length,
}

impl Misfit {
    fn text(self) -> &'static str {
        match self {
            Misfit::Type => "is of another type",
            Misfit::Overflow => "does not fit",
            Misfit::Fraction => "is not a whole number",
            Misfit::Length => "has another length",
        }
    }
}

fn cast<'a>(kind: Kind, value: Scalar<'a>) -> std::result::Result<Scalar<'a>, Misfit> {
    match (kind, value) {
        (Kind::I32, Scalar::I64(number)) => {
            i32::try_from(number).map(Scalar::I32).map_err(|_| Misfit::Overflow)
        }
        (Kind::I64, Scalar::I32(number)) => Ok(Scalar::I64(i64::from(number))),
        (Kind::Timestamp, Scalar::I32(number)) => Ok(Scalar::Timestamp(Timestamp(i64::from(number)))),
        (Kind::Timestamp, Scalar::I64(number)) => Ok(Scalar::Timestamp(Timestamp(number))),
        (Kind::Timestamp, Scalar::Str(text)) => {
            Timestamp::from_rfc3339(text).map(Scalar::Timestamp).ok_or(Misfit::Type)
        }
        (Kind::I32 | Kind::I64 | Kind::Timestamp, Scalar::F32(number)) => {
            cast_whole(kind, whole(f64::from(number))?)
        }
        (Kind::I32 | Kind::I64 | Kind::Timestamp, Scalar::F64(number)) => cast_whole(kind, whole(number)?),
        (Kind::F32, Scalar::I32(number)) => Ok(Scalar::F32(number as f32)),
        (Kind::F32, Scalar::I64(number)) => Ok(Scalar::F32(number as f32)),
        (Kind::F32, Scalar::F64(number)) => match number as f32 {
            narrow if narrow.is_infinite() && number.is_finite() => Err(Misfit::Overflow),
            narrow => Ok(Scalar::F32(narrow)),
        },
        (Kind::F64, Scalar::I32(number)) => Ok(Scalar::F64(f64::from(number))),
        (Kind::F64, Scalar::I64(number)) => Ok(Scalar::F64(number as f64)),
        (Kind::F64, Scalar::F32(number)) => Ok(Scalar::F64(f64::from(number))),
        (Kind::Vector(_), Scalar::Vector(_)) => Err(Misfit::Length),
        _ => Err(Misfit::Type),
    }
}

fn cast_whole<'a>(kind: Kind, number: i64) -> std::result::Result<Scalar<'a>, Misfit> {
    if kind == Kind::I64 { Ok(Scalar::I64(number)) } else { cast(kind, Scalar::I64(number)) }
}

fn whole(number: f64) -> std::result::Result<i64, Misfit> {
    // 2^63 is a float, and the first one that does not fit.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    match number {
        _ if number.fract() != 0.0 => Err(Misfit::Fraction),
        _ if (-LIMIT..LIMIT).contains(&number) => Ok(number as i64),
        _ => Err(Misfit::Overflow),
    }
}
