//! Keys as people write them: in a URL, on a command line, in a file.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Serialize, Serializer};

use super::{Error, Key, KeyKind, KeyRef, Result};

impl Key {
    /// Reads a key by the kind of its map: a whole number, text (also where any kind will do) or base64.
    pub fn parse(text: &str, kind: Option<KeyKind>, affinity: Option<&str>) -> Result<Key> {
        let affinity = affinity.map(str::as_bytes);
        let key = match kind {
            None | Some(KeyKind::Str) => Key::new(KeyRef::Str(text), affinity)?,
            Some(KeyKind::I64) => {
                let number = text.trim().parse().map_err(|_| {
                    Error::invalid(format!("the key {text:?} is not a whole number"))
                        .hint("the map's keys are i64")
                })?;
                Key::new(KeyRef::I64(number), affinity)?
            }
            Some(KeyKind::Bytes) => {
                let bytes = STANDARD.decode(text.trim()).map_err(|error| {
                    Error::invalid(format!("the key {text:?} is not base64: {error}"))
                        .hint("the map's keys are bytes")
                })?;
                Key::new(KeyRef::Bytes(&bytes), affinity)?
            }
        };
        Ok(key)
    }
}

/// As it stands in JSON: a number, text, or base64.
impl Serialize for KeyRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            KeyRef::I64(number) => serializer.serialize_i64(*number),
            KeyRef::Str(text) => serializer.serialize_str(text),
            KeyRef::Bytes(bytes) => serializer.serialize_str(&STANDARD.encode(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_by_the_kind_of_its_map() {
        let read = |text, kind| Key::parse(text, kind, None).map_err(|error| error.message.into_owned());
        assert_eq!(read("42", Some(KeyKind::I64)), Ok(Key::from(42)));
        assert!(read("42", None).is_ok_and(|key| key.payload() == KeyRef::Str("42")));
        assert!(
            read("AAH/", Some(KeyKind::Bytes)).is_ok_and(|key| key.payload() == KeyRef::Bytes(&[0, 1, 255]))
        );
        assert_eq!(read("x7", Some(KeyKind::I64)), Err("the key \"x7\" is not a whole number".to_owned()));
        assert!(Key::parse("a", None, Some("c-17")).is_ok_and(|key| key.affinity() == Some(b"c-17")));
    }

    #[test]
    fn json_shows_what_is_read() {
        let json = |payload: KeyRef<'_>| serde_json::to_string(&payload).unwrap();
        assert_eq!(json(KeyRef::I64(-3)), "-3");
        assert_eq!(json(KeyRef::Str("a\"b")), r#""a\"b""#);
        assert_eq!(json(KeyRef::Bytes(&[0, 1, 255])), r#""AAH/""#);
    }
}
