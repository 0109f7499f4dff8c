//! `CAST`.

use std::borrow::Cow;

use sqlparser::ast::DataType;

use super::{
    eval::Fault,
    value::{Type, Value},
};
use crate::types::Timestamp;

/// What a value is cast to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Bool,
    /// Within these bounds.
    Int {
        min: i64,
        max: i64,
    },
    Single,
    Float,
    Str,
    Timestamp,
}

impl Target {
    pub(super) fn of(data_type: &DataType) -> Option<Target> {
        Some(match data_type {
            DataType::Bool | DataType::Boolean => Target::Bool,
            DataType::TinyInt(_) => Target::Int { min: i8::MIN.into(), max: i8::MAX.into() },
            DataType::SmallInt(_) | DataType::Int2(_) => {
                Target::Int { min: i16::MIN.into(), max: i16::MAX.into() }
            }
            DataType::Int(_) | DataType::Integer(_) | DataType::Int4(_) | DataType::Int32 => {
                Target::Int { min: i32::MIN.into(), max: i32::MAX.into() }
            }
            DataType::BigInt(_) | DataType::Int8(_) | DataType::Int64 => {
                Target::Int { min: i64::MIN, max: i64::MAX }
            }
            DataType::Real | DataType::Float4 | DataType::Float32 => Target::Single,
            DataType::Double(_) | DataType::DoublePrecision | DataType::Float8 | DataType::Float64 => {
                Target::Float
            }
            DataType::Float(_) => Target::Float,
            DataType::Varchar(None) | DataType::Char(None) | DataType::Text | DataType::String(None) => {
                Target::Str
            }
            DataType::Timestamp(None, _) | DataType::Datetime(None) => Target::Timestamp,
            _ => return None,
        })
    }

    pub(super) fn value_type(self) -> Type {
        match self {
            Target::Bool => Type::Bool,
            Target::Int { .. } => Type::Int,
            Target::Single => Type::Single,
            Target::Float => Type::Float,
            Target::Str => Type::Str,
            Target::Timestamp => Type::Timestamp,
        }
    }

    /// Whether values of this type can be cast at all.
    pub(super) fn takes(self, from: Type) -> bool {
        match from {
            Type::Null => true,
            Type::Vector(_) => false,
            Type::Bytes => self == Target::Str,
            Type::Timestamp => matches!(self, Target::Int { .. } | Target::Str | Target::Timestamp),
            Type::Bool => self != Target::Timestamp,
            Type::Int | Type::Str => true,
            Type::Single | Type::Float => self != Target::Timestamp,
        }
    }

    /// Floats become integers by cutting towards zero; text must be a literal of the type.
    pub(super) fn cast<'v>(self, value: Value<'v>) -> Result<Value<'v>, Fault> {
        if value == Value::Null {
            return Ok(Value::Null);
        }
        match self {
            Target::Bool => bool(&value).map(Value::Bool),
            Target::Int { min, max } => match int(&value)? {
                number if (min..=max).contains(&number) => Ok(Value::Int(number)),
                _ => Err(Fault::Overflow),
            },
            Target::Single => float(&value).map(|number| Value::Float(f64::from(number as f32))),
            Target::Float => float(&value).map(Value::Float),
            Target::Str => text(value).map(Value::Str),
            Target::Timestamp => timestamp(&value).map(Value::Timestamp),
        }
    }
}

fn bool(value: &Value<'_>) -> Result<bool, Fault> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::Int(number) => Ok(*number != 0),
        Value::Float(number) => Ok(*number != 0.0),
        Value::Str(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::Str(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(Fault::Cast("a bool")),
    }
}

fn int(value: &Value<'_>) -> Result<i64, Fault> {
    // 2^63 is a float, and the first one that does not fit.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    match value {
        Value::Bool(value) => Ok((*value).into()),
        Value::Int(number) => Ok(*number),
        Value::Float(number) if (-LIMIT..LIMIT).contains(number) => Ok(*number as i64),
        Value::Float(_) => Err(Fault::Overflow),
        Value::Timestamp(at) => Ok(at.0),
        Value::Str(text) => text.trim().parse().map_err(|_| Fault::Cast("an integer")),
        _ => Err(Fault::Cast("an integer")),
    }
}

fn float(value: &Value<'_>) -> Result<f64, Fault> {
    match value {
        Value::Str(text) => text.trim().parse().map_err(|_| Fault::Cast("a number")),
        _ => value.as_f64().ok_or(Fault::Cast("a number")),
    }
}

fn text(value: Value<'_>) -> Result<Cow<'_, str>, Fault> {
    match value {
        Value::Str(text) => Ok(text),
        Value::Bytes(Cow::Borrowed(bytes)) => {
            std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| Fault::Cast("UTF-8 text"))
        }
        Value::Bytes(Cow::Owned(bytes)) => {
            String::from_utf8(bytes).map(Cow::Owned).map_err(|_| Fault::Cast("UTF-8 text"))
        }
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Timestamp(_) => {
            Ok(Cow::Owned(value.scalar().to_string()))
        }
        Value::Null | Value::Vector(_) => Err(Fault::Cast("text")),
    }
}

fn timestamp(value: &Value<'_>) -> Result<Timestamp, Fault> {
    match value {
        Value::Timestamp(at) => Ok(*at),
        Value::Int(millis) => Ok(Timestamp(*millis)),
        Value::Str(text) => Timestamp::from_rfc3339(text).ok_or(Fault::Cast("an RFC 3339 timestamp")),
        _ => Err(Fault::Cast("a timestamp")),
    }
}
