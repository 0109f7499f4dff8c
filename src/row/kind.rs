//! What a column holds.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::types::{Error, nearest};

/// The most elements of a vector column.
const MAX_VECTOR: u32 = 65_536;

/// What a column holds. Written as in schema files: `f64`, `str`, `vector<f32,30>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Kind {
    /// True or false.
    Bool,
    /// A 32-bit signed integer.
    I32,
    /// A 64-bit signed integer.
    I64,
    /// A 32-bit float.
    F32,
    /// A 64-bit float.
    F64,
    /// UTF-8 text.
    Str,
    /// Opaque bytes.
    Bytes,
    /// Milliseconds since the Unix epoch.
    Timestamp,
    /// This many `f32`.
    Vector(u32),
}

impl Kind {
    /// Bytes in the row's fixed-width section; `None` for what lives in the variable section.
    pub fn fixed_bytes(self) -> Option<usize> {
        match self {
            Kind::Bool => Some(1),
            Kind::I32 | Kind::F32 => Some(4),
            Kind::I64 | Kind::F64 | Kind::Timestamp => Some(8),
            Kind::Vector(len) => Some(len as usize * 4),
            Kind::Str | Kind::Bytes => None,
        }
    }

    /// Whether it is a number: something a range can bound and a model can take without an expression.
    pub fn is_numeric(self) -> bool {
        matches!(self, Kind::I32 | Kind::I64 | Kind::F32 | Kind::F64)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Bool => f.write_str("bool"),
            Kind::I32 => f.write_str("i32"),
            Kind::I64 => f.write_str("i64"),
            Kind::F32 => f.write_str("f32"),
            Kind::F64 => f.write_str("f64"),
            Kind::Str => f.write_str("str"),
            Kind::Bytes => f.write_str("bytes"),
            Kind::Timestamp => f.write_str("timestamp"),
            Kind::Vector(len) => write!(f, "vector<f32,{len}>"),
        }
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "bool" => Kind::Bool,
            "i32" => Kind::I32,
            "i64" => Kind::I64,
            "f32" => Kind::F32,
            "f64" => Kind::F64,
            "str" => Kind::Str,
            "bytes" => Kind::Bytes,
            "timestamp" => Kind::Timestamp,
            _ => return vector(text),
        })
    }
}

fn vector(text: &str) -> Result<Kind, Error> {
    let Some(inside) = text.strip_prefix("vector<").and_then(|rest| rest.strip_suffix('>')) else {
        return Err(unknown(text));
    };
    let len = match inside.split_once(',') {
        Some((element, len)) if element.trim() == "f32" => len.trim().parse::<u32>().ok(),
        _ => None,
    };
    match len {
        Some(len) if (1..=MAX_VECTOR).contains(&len) => Ok(Kind::Vector(len)),
        _ => Err(Error::invalid(format!("`{text}` is not a type"))
            .hint(format!("vectors are written `vector<f32,N>` with N from 1 to {MAX_VECTOR}"))),
    }
}

fn unknown(text: &str) -> Error {
    const ALIASES: [(&str, &str); 12] = [
        ("float", "f32"),
        ("float32", "f32"),
        ("double", "f64"),
        ("float64", "f64"),
        ("int", "i32"),
        ("int32", "i32"),
        ("integer", "i64"),
        ("int64", "i64"),
        ("string", "str"),
        ("text", "str"),
        ("boolean", "bool"),
        ("datetime", "timestamp"),
    ];
    const NAMES: [&str; 8] = ["bool", "i32", "i64", "f32", "f64", "str", "bytes", "timestamp"];
    let alias = ALIASES.iter().find(|(from, _)| *from == text).map(|(_, to)| *to);
    let error = Error::invalid(format!("`{text}` is not a type"));
    match alias.or_else(|| nearest(text, NAMES)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("types are {} and vector<f32,N>", NAMES.join(", "))),
    }
}

impl TryFrom<String> for Kind {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        kind.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_every_kind() {
        let kinds = [
            Kind::Bool,
            Kind::I32,
            Kind::I64,
            Kind::F32,
            Kind::F64,
            Kind::Str,
            Kind::Bytes,
            Kind::Timestamp,
            Kind::Vector(30),
        ];
        for kind in kinds {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!("vector<f32, 30>".parse(), Ok(Kind::Vector(30)));
    }

    #[test]
    fn refuses_what_is_not_a_kind_with_a_suggestion() {
        let hint = |text: &str| text.parse::<Kind>().unwrap_err().hint.unwrap().into_owned();
        assert_eq!(hint("double"), "did you mean `f64`?");
        assert_eq!(hint("timestmp"), "did you mean `timestamp`?");
        for text in ["vector<f32,0>", "vector<f64,3>", "vector<f32,99999999>", "vector<f32>"] {
            assert_eq!(hint(text), "vectors are written `vector<f32,N>` with N from 1 to 65536");
        }
    }
}
