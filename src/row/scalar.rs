//! One value of a row.

use std::fmt;

use super::Kind;
use crate::types::Timestamp;

/// One value of a row, borrowed from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A 32-bit signed integer.
    I32(i32),
    /// A 64-bit signed integer.
    I64(i64),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
    /// UTF-8 text.
    Str(&'a str),
    /// Opaque bytes.
    Bytes(&'a [u8]),
    /// Milliseconds since the Unix epoch.
    Timestamp(Timestamp),
    /// A vector of `f32`.
    Vector(VectorRef<'a>),
}

impl<'a> Scalar<'a> {
    /// What kind of value it is; `None` for null.
    pub fn kind(&self) -> Option<Kind> {
        Some(match self {
            Scalar::Null => return None,
            Scalar::Bool(_) => Kind::Bool,
            Scalar::I32(_) => Kind::I32,
            Scalar::I64(_) => Kind::I64,
            Scalar::F32(_) => Kind::F32,
            Scalar::F64(_) => Kind::F64,
            Scalar::Str(_) => Kind::Str,
            Scalar::Bytes(_) => Kind::Bytes,
            Scalar::Timestamp(_) => Kind::Timestamp,
            Scalar::Vector(vector) => Kind::Vector(vector.len() as u32),
        })
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Scalar::Null)
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&'a str> {
        match self {
            Scalar::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The number, bool or timestamp (in milliseconds) as numpy's `astype(float64)` casts it.
    pub fn as_f64(&self) -> Option<f64> {
        Some(match *self {
            Scalar::Bool(value) => f64::from(u8::from(value)),
            Scalar::I32(value) => f64::from(value),
            Scalar::I64(value) => value as f64,
            Scalar::F32(value) => f64::from(value),
            Scalar::F64(value) => value,
            Scalar::Timestamp(at) => at.0 as f64,
            Scalar::Null | Scalar::Str(_) | Scalar::Bytes(_) | Scalar::Vector(_) => return None,
        })
    }

    /// The number, bool or timestamp (in milliseconds) as numpy's `astype(float32)` casts it: rounded once.
    pub fn as_f32(&self) -> Option<f32> {
        Some(match *self {
            Scalar::Bool(value) => f32::from(u8::from(value)),
            Scalar::I32(value) => value as f32,
            Scalar::I64(value) => value as f32,
            Scalar::F32(value) => value,
            Scalar::F64(value) => value as f32,
            Scalar::Timestamp(at) => at.0 as f32,
            Scalar::Null | Scalar::Str(_) | Scalar::Bytes(_) | Scalar::Vector(_) => return None,
        })
    }

    /// The number, bool or timestamp (in milliseconds) as numpy's `astype(int64)` casts it: floats are cut towards
    /// zero, and what is out of range or NaN becomes `i64::MIN`, as on x86-64.
    pub fn as_i64(&self) -> Option<i64> {
        Some(match *self {
            Scalar::Bool(value) => i64::from(value),
            Scalar::I32(value) => i64::from(value),
            Scalar::I64(value) => value,
            Scalar::F32(value) => truncate(f64::from(value)),
            Scalar::F64(value) => truncate(value),
            Scalar::Timestamp(at) => at.0,
            Scalar::Null | Scalar::Str(_) | Scalar::Bytes(_) | Scalar::Vector(_) => return None,
        })
    }
}

fn truncate(value: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&value) { value as i64 } else { i64::MIN }
}

/// For messages: text and bytes are cut short.
impl fmt::Display for Scalar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 40;
        match self {
            Scalar::Null => f.write_str("null"),
            Scalar::Bool(value) => write!(f, "{value}"),
            Scalar::I32(value) => write!(f, "{value}"),
            Scalar::I64(value) => write!(f, "{value}"),
            Scalar::F32(value) => write!(f, "{value}"),
            Scalar::F64(value) => write!(f, "{value}"),
            Scalar::Str(text) => match text.char_indices().nth(SHOWN) {
                Some((cut, _)) => write!(f, "{:?}..", &text[..cut]),
                None => write!(f, "{text:?}"),
            },
            Scalar::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Scalar::Timestamp(at) => write!(f, "{at}"),
            Scalar::Vector(vector) => write!(f, "a vector of {}", vector.len()),
        }
    }
}

/// The elements of a vector, little-endian and unaligned as they lie in the row.
#[derive(Clone, Copy, PartialEq)]
pub struct VectorRef<'a>(&'a [[u8; 4]]);

impl<'a> VectorRef<'a> {
    /// The elements in these bytes; what is left of a number of bytes that four does not divide is not an element.
    pub fn from_le_bytes(bytes: &'a [u8]) -> Self {
        VectorRef(bytes.as_chunks::<4>().0)
    }

    /// How many elements.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The elements in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = f32> + 'a {
        self.0.iter().map(|raw| f32::from_le_bytes(*raw))
    }

    /// The bytes as they lie in the row.
    pub fn as_le_bytes(&self) -> &'a [u8] {
        self.0.as_flattened()
    }
}

impl fmt::Debug for VectorRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
