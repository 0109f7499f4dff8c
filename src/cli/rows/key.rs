//! Keys as people write them.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::types::{Error, Key, KeyKind, KeyRef, Result};

/// The key that `text` stands for: a number, text, or base64, by the kind of the map's keys (text unless told).
pub(in crate::cli) fn parse_key(text: &str, kind: Option<KeyKind>, affinity: Option<&str>) -> Result<Key> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_by_the_kind_of_the_map() {
        let read = |text, kind| parse_key(text, kind, None).map_err(|error| error.message.into_owned());
        assert_eq!(read("42", Some(KeyKind::I64)), Ok(Key::from(42)));
        assert_eq!(read("42", None).map(|key| key.payload() == KeyRef::Str("42")), Ok(true));
        assert_eq!(
            read("AAH/", Some(KeyKind::Bytes)).map(|key| key.payload() == KeyRef::Bytes(&[0, 1, 255])),
            Ok(true)
        );
        assert_eq!(read("x7", Some(KeyKind::I64)), Err("the key \"x7\" is not a whole number".to_owned()));
        assert!(parse_key("a", None, Some("c-17")).is_ok_and(|key| key.affinity() == Some(b"c-17")));
    }
}
