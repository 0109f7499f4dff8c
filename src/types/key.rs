//! Keys, packed.
//!
//! A key travels and is stored in one canonical form, so that equality, hashing and ordering work on bytes:
//!
//! ```text
//! tag (1)                     kind: 0 i64, 1 str, 2 bytes; 0x80 added when an affinity follows
//! affinity length (u16 LE)    only with 0x80
//! affinity                    only with 0x80
//! payload                     i64: 8 bytes big-endian with the sign bit flipped; str: UTF-8; bytes: as they are
//! ```

use std::{borrow::Borrow, fmt};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64;

/// The longest packed key, affinity included, in bytes.
pub const MAX_KEY_BYTES: usize = 1024;

const WITH_AFFINITY: u8 = 0x80;

/// What a map's keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// A 64-bit signed integer.
    I64 = 0,
    /// UTF-8 text.
    Str = 1,
    /// Opaque bytes.
    Bytes = 2,
}

/// Why bytes are not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Longer than [`MAX_KEY_BYTES`].
    #[error("the key has {0} bytes, more than the limit of {MAX_KEY_BYTES}")]
    TooLong(usize),
    /// Not the packed form.
    #[error("the packed key is malformed")]
    Malformed,
}

impl From<KeyError> for super::Error {
    fn from(error: KeyError) -> Self {
        super::Error::invalid(error.to_string())
    }
}

/// A key's payload, unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRef<'a> {
    /// A 64-bit signed integer.
    I64(i64),
    /// UTF-8 text.
    Str(&'a str),
    /// Opaque bytes.
    Bytes(&'a [u8]),
}

impl<'a> KeyRef<'a> {
    /// The payload of a packed key.
    pub fn from_packed(packed: &'a [u8]) -> Result<Self, KeyError> {
        parse(packed).map(|(_, payload)| payload)
    }

    /// What kind of key this is.
    pub fn kind(&self) -> KeyKind {
        match self {
            KeyRef::I64(_) => KeyKind::I64,
            KeyRef::Str(_) => KeyKind::Str,
            KeyRef::Bytes(_) => KeyKind::Bytes,
        }
    }
}

/// A packed key. Always well-formed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct Key(SmallVec<[u8; 24]>);

impl Key {
    /// Packs a payload, with an affinity or without. An empty affinity is an affinity.
    pub fn new(payload: KeyRef<'_>, affinity: Option<&[u8]>) -> Result<Self, KeyError> {
        let affinity_len = affinity.map_or(0, |bytes| bytes.len() + 2);
        let payload_len = match payload {
            KeyRef::I64(_) => 8,
            KeyRef::Str(text) => text.len(),
            KeyRef::Bytes(bytes) => bytes.len(),
        };
        let total = 1 + affinity_len + payload_len;
        if total > MAX_KEY_BYTES {
            return Err(KeyError::TooLong(total));
        }
        let mut packed = SmallVec::with_capacity(total);
        let tag = payload.kind() as u8;
        packed.push(if affinity.is_some() { tag | WITH_AFFINITY } else { tag });
        if let Some(bytes) = affinity {
            packed.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
            packed.extend_from_slice(bytes);
        }
        match payload {
            KeyRef::I64(number) => packed.extend_from_slice(&((number as u64) ^ (1 << 63)).to_be_bytes()),
            KeyRef::Str(text) => packed.extend_from_slice(text.as_bytes()),
            KeyRef::Bytes(bytes) => packed.extend_from_slice(bytes),
        }
        Ok(Key(packed))
    }

    /// Takes over packed bytes from outside, after checking them.
    pub fn from_packed(packed: &[u8]) -> Result<Self, KeyError> {
        parse(packed)?;
        Ok(Key(SmallVec::from_slice(packed)))
    }

    /// The canonical bytes.
    pub fn packed(&self) -> &[u8] {
        &self.0
    }

    /// The payload.
    pub fn payload(&self) -> KeyRef<'_> {
        self.parts().1
    }

    /// The affinity given with the key; the `{tag}` of a string key is not part of this.
    pub fn affinity(&self) -> Option<&[u8]> {
        self.parts().0
    }

    /// What decides the partition: XXH3-64 of the affinity, or of the `{tag}` inside a string key, or of the
    /// payload's bytes.
    pub fn placement_hash(&self) -> u64 {
        placement_hash(&self.0)
    }

    fn parts(&self) -> (Option<&[u8]>, KeyRef<'_>) {
        // A `Key` is only ever built from checked bytes.
        parse(&self.0).unwrap_or((None, KeyRef::Bytes(&[])))
    }
}

/// Splits a packed key into affinity and payload.
fn parse(packed: &[u8]) -> Result<(Option<&[u8]>, KeyRef<'_>), KeyError> {
    if packed.len() > MAX_KEY_BYTES {
        return Err(KeyError::TooLong(packed.len()));
    }
    let Sections { kind, affinity, payload } = split(packed).ok_or(KeyError::Malformed)?;
    let payload = match kind {
        0 => {
            let raw: [u8; 8] = payload.try_into().map_err(|_| KeyError::Malformed)?;
            KeyRef::I64((u64::from_be_bytes(raw) ^ (1 << 63)) as i64)
        }
        1 => KeyRef::Str(std::str::from_utf8(payload).map_err(|_| KeyError::Malformed)?),
        2 => KeyRef::Bytes(payload),
        _ => return Err(KeyError::Malformed),
    };
    Ok((affinity, payload))
}

/// A packed key's sections, payload unchecked.
struct Sections<'a> {
    kind: u8,
    affinity: Option<&'a [u8]>,
    payload: &'a [u8],
}

fn split(packed: &[u8]) -> Option<Sections<'_>> {
    let (&tag, rest) = packed.split_first()?;
    if tag & WITH_AFFINITY == 0 {
        return Some(Sections { kind: tag, affinity: None, payload: rest });
    }
    let (len, rest) = rest.split_first_chunk::<2>()?;
    let (affinity, payload) = rest.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
    Some(Sections { kind: tag & !WITH_AFFINITY, affinity: Some(affinity), payload })
}

/// [`Key::placement_hash`] of a packed key that is nobody's `Key` yet. Any bytes have one.
pub fn placement_hash(packed: &[u8]) -> u64 {
    match split(packed) {
        Some(Sections { affinity: Some(affinity), .. }) => xxh3_64(affinity),
        Some(Sections { kind: 1, payload, .. }) => xxh3_64(hash_tag(payload).unwrap_or(payload)),
        Some(Sections { payload, .. }) => xxh3_64(payload),
        None => xxh3_64(packed),
    }
}

/// The bytes between the first `{` and the next `}`, if there are any (Redis Cluster specification, hash tags).
fn hash_tag(text: &[u8]) -> Option<&[u8]> {
    let open = text.iter().position(|byte| *byte == b'{')?;
    let rest = text.get(open + 1..)?;
    let close = rest.iter().position(|byte| *byte == b'}')?;
    rest.get(..close).filter(|tag| !tag.is_empty())
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<Vec<u8>> for Key {
    type Error = KeyError;

    fn try_from(packed: Vec<u8>) -> Result<Self, KeyError> {
        Key::from_packed(&packed)
    }
}

impl From<Key> for Vec<u8> {
    fn from(key: Key) -> Self {
        key.0.into_vec()
    }
}

impl From<i64> for Key {
    fn from(number: i64) -> Self {
        let mut packed = SmallVec::new();
        packed.push(KeyKind::I64 as u8);
        packed.extend_from_slice(&((number as u64) ^ (1 << 63)).to_be_bytes());
        Key(packed)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.payload() {
            KeyRef::I64(number) => write!(f, "{number}"),
            KeyRef::Str(text) => f.write_str(text),
            KeyRef::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(payload: KeyRef<'_>, affinity: Option<&[u8]>) -> Key {
        Key::new(payload, affinity).expect("a short key")
    }

    #[test]
    fn packs_and_unpacks_every_kind() {
        for payload in
            [KeyRef::I64(i64::MIN), KeyRef::I64(-1), KeyRef::Str("naïve"), KeyRef::Bytes(&[0, 255])]
        {
            for affinity in [None, Some(&b"c-17"[..]), Some(&b""[..])] {
                let key = key(payload, affinity);
                assert_eq!(key.payload(), payload);
                assert_eq!(key.affinity(), affinity);
                assert_eq!(Key::from_packed(key.packed()), Ok(key));
            }
        }
    }

    #[test]
    fn integer_keys_order_as_integers() {
        let keys: Vec<Key> = [i64::MIN, -7, 0, 3, i64::MAX].into_iter().map(Key::from).collect();
        assert!(keys.is_sorted());
    }

    #[test]
    fn affinity_and_hash_tag_decide_the_placement() {
        let by_affinity = key(KeyRef::I64(9), Some(b"c-17"));
        let by_tag = key(KeyRef::Str("payment:{c-17}:9"), None);
        let plain = key(KeyRef::Str("c-17"), None);
        assert_eq!(by_affinity.placement_hash(), by_tag.placement_hash());
        assert_eq!(by_tag.placement_hash(), plain.placement_hash());
        assert_ne!(
            key(KeyRef::Str("a{}b"), None).placement_hash(),
            key(KeyRef::Str("{}"), None).placement_hash()
        );
    }

    #[test]
    fn refuses_what_is_not_a_key() {
        let long = "x".repeat(MAX_KEY_BYTES);
        assert_eq!(Key::new(KeyRef::Str(&long), None), Err(KeyError::TooLong(MAX_KEY_BYTES + 1)));
        for packed in [&[][..], &[0, 1, 2], &[1, 0xff], &[3], &[0x81, 9, 0, b'x']] {
            assert_eq!(Key::from_packed(packed), Err(KeyError::Malformed));
        }
    }
}
