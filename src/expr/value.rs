//! What an expression evaluates to.

use std::{borrow::Cow, fmt};

use crate::{
    row::{Kind, Scalar, VectorRef},
    types::{KeyKind, KeyRef, Timestamp},
};

/// What an expression evaluates to, borrowed from row, key and expression where it can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer of any width.
    Int(i64),
    /// A float of any width.
    Float(f64),
    /// Text.
    Str(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// Milliseconds since the Unix epoch.
    Timestamp(Timestamp),
    /// A vector, which can only be tested for null or passed on.
    Vector(VectorRef<'a>),
}

impl<'a> Value<'a> {
    /// The same value as the row room knows it: integers as `I64`, floats as `F64`.
    pub fn scalar(&self) -> Scalar<'_> {
        match self {
            Value::Null => Scalar::Null,
            Value::Bool(value) => Scalar::Bool(*value),
            Value::Int(value) => Scalar::I64(*value),
            Value::Float(value) => Scalar::F64(*value),
            Value::Str(text) => Scalar::Str(text),
            Value::Bytes(bytes) => Scalar::Bytes(bytes),
            Value::Timestamp(at) => Scalar::Timestamp(*at),
            Value::Vector(vector) => Scalar::Vector(*vector),
        }
    }

    /// The number, or a bool as 0 or 1; `None` for anything else.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Bool(value) => Some(f64::from(u8::from(*value))),
            Value::Int(value) => Some(*value as f64),
            Value::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The key as a value; text where its kind is not declared.
    pub(super) fn key(key: KeyRef<'a>, declared: bool) -> Self {
        match key {
            KeyRef::I64(number) if declared => Value::Int(number),
            KeyRef::I64(number) => Value::Str(number.to_string().into()),
            KeyRef::Str(text) => Value::Str(text.into()),
            KeyRef::Bytes(bytes) if declared => Value::Bytes(bytes.into()),
            KeyRef::Bytes(bytes) => Value::Str(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        }
    }

    /// The same without what it borrows; `None` for a vector, which no expression makes.
    pub(super) fn into_owned(self) -> Option<Value<'static>> {
        Some(match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Int(value) => Value::Int(value),
            Value::Float(value) => Value::Float(value),
            Value::Str(text) => Value::Str(text.into_owned().into()),
            Value::Bytes(bytes) => Value::Bytes(bytes.into_owned().into()),
            Value::Timestamp(at) => Value::Timestamp(at),
            Value::Vector(_) => return None,
        })
    }

    /// The same, borrowed.
    pub(super) fn borrowed(&self) -> Value<'_> {
        match self {
            Value::Str(text) => Value::Str(Cow::Borrowed(text)),
            Value::Bytes(bytes) => Value::Bytes(Cow::Borrowed(bytes)),
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(*value),
            Value::Int(value) => Value::Int(*value),
            Value::Float(value) => Value::Float(*value),
            Value::Timestamp(at) => Value::Timestamp(*at),
            Value::Vector(vector) => Value::Vector(*vector),
        }
    }
}

impl<'a> From<Scalar<'a>> for Value<'a> {
    fn from(scalar: Scalar<'a>) -> Self {
        match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::I32(value) => Value::Int(value.into()),
            Scalar::I64(value) => Value::Int(value),
            Scalar::F32(value) => Value::Float(value.into()),
            Scalar::F64(value) => Value::Float(value),
            Scalar::Str(text) => Value::Str(text.into()),
            Scalar::Bytes(bytes) => Value::Bytes(bytes.into()),
            Scalar::Timestamp(at) => Value::Timestamp(at),
            Scalar::Vector(vector) => Value::Vector(vector),
        }
    }
}

/// What an expression's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Always null.
    Null,
    Bool,
    Int,
    /// A float that came from an `f32` column.
    Single,
    Float,
    Str,
    Bytes,
    Timestamp,
    Vector(u32),
}

impl Type {
    pub(super) fn of_column(kind: Kind) -> Type {
        match kind {
            Kind::Bool => Type::Bool,
            Kind::I32 | Kind::I64 => Type::Int,
            Kind::F32 => Type::Single,
            Kind::F64 => Type::Float,
            Kind::Str => Type::Str,
            Kind::Bytes => Type::Bytes,
            Kind::Timestamp => Type::Timestamp,
            Kind::Vector(len) => Type::Vector(len),
        }
    }

    pub(super) fn of_key(kind: Option<KeyKind>) -> Type {
        match kind {
            Some(KeyKind::I64) => Type::Int,
            Some(KeyKind::Bytes) => Type::Bytes,
            Some(KeyKind::Str) | None => Type::Str,
        }
    }

    /// What the row room calls it; `None` if it is always null.
    pub(super) fn kind(self) -> Option<Kind> {
        Some(match self {
            Type::Null => return None,
            Type::Bool => Kind::Bool,
            Type::Int => Kind::I64,
            Type::Single | Type::Float => Kind::F64,
            Type::Str => Kind::Str,
            Type::Bytes => Kind::Bytes,
            Type::Timestamp => Kind::Timestamp,
            Type::Vector(len) => Kind::Vector(len),
        })
    }

    pub(super) fn is_numeric(self) -> bool {
        matches!(self, Type::Int | Type::Single | Type::Float)
    }

    /// The type that holds values of both; null joins anything, numbers become floats where they differ.
    pub(super) fn join(self, other: Type) -> Option<Type> {
        match (self, other) {
            (a, b) if a == b => Some(a),
            (Type::Null, other) | (other, Type::Null) => Some(other),
            (a, b) if a.is_numeric() && b.is_numeric() => Some(Type::Float),
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Null => "null",
            Type::Bool => "bool",
            Type::Int => "integer",
            Type::Single | Type::Float => "float",
            Type::Str => "text",
            Type::Bytes => "bytes",
            Type::Timestamp => "timestamp",
            Type::Vector(_) => "vector",
        })
    }
}
