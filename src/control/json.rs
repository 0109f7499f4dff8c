//! What the peers' codec cannot carry by itself.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _, Visitor},
    ser::Error as _,
};

/// A value as JSON: commands are written in files, too, and use attributes of serde that need a format with names.
#[derive(Clone, Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> Serialize for Json<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&serde_json::to_vec(&self.0).map_err(S::Error::custom)?)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Json<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<T>(PhantomData<T>);
        impl<T: DeserializeOwned> Visitor<'_> for Text<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<T, E> {
                serde_json::from_slice(bytes).map_err(E::custom)
            }
        }
        deserializer.deserialize_bytes(Text(PhantomData)).map(Json).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{
        catalog::{Command, MapFile},
        net::{Raw, codec},
    };

    #[test]
    fn commands_and_bytes_survive_the_codec() {
        let command = Command::CreateMap(MapFile::plain("a"));
        let bytes = codec::encode(&(Json(&command), Raw(Bytes::from_static(b"x")))).unwrap();
        let (Json(back), raw): (Json<Command>, Raw) = codec::decode(&bytes).unwrap();
        assert_eq!((back, &*raw.0), (command, &b"x"[..]));
        assert!(
            codec::decode::<Json<Command>>(&codec::encode(&Raw(Bytes::from_static(b"{"))).unwrap()).is_err()
        );
    }
}
