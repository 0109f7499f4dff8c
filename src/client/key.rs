//! What callers may give as a key.

use crate::types::{Key, KeyRef, Result};

/// Something that is a key once it is packed. Too long a text is refused.
pub trait IntoKey {
    /// Packs it.
    fn into_key(self) -> Result<Key>;
}

impl IntoKey for Key {
    fn into_key(self) -> Result<Key> {
        Ok(self)
    }
}

impl IntoKey for &Key {
    fn into_key(self) -> Result<Key> {
        Ok(self.clone())
    }
}

impl IntoKey for KeyRef<'_> {
    fn into_key(self) -> Result<Key> {
        Ok(Key::new(self, None)?)
    }
}

impl IntoKey for i64 {
    fn into_key(self) -> Result<Key> {
        Ok(Key::from(self))
    }
}

impl IntoKey for i32 {
    fn into_key(self) -> Result<Key> {
        Ok(Key::from(i64::from(self)))
    }
}

impl IntoKey for &str {
    fn into_key(self) -> Result<Key> {
        KeyRef::Str(self).into_key()
    }
}

impl IntoKey for &String {
    fn into_key(self) -> Result<Key> {
        self.as_str().into_key()
    }
}

impl IntoKey for String {
    fn into_key(self) -> Result<Key> {
        self.as_str().into_key()
    }
}

impl IntoKey for &[u8] {
    fn into_key(self) -> Result<Key> {
        KeyRef::Bytes(self).into_key()
    }
}
