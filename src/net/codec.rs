//! The one codec of what nodes say to each other: serde's types in bincode.
//!
//! The format carries no names: a type must not use `flatten`, `untagged`, `tag` or `skip_serializing_if`, and bytes
//! want `bytes::Bytes` or `serde_bytes`, which are copied whole where a `Vec<u8>` goes byte by byte. No other file
//! names the crate, so that it can be replaced.

use bincode::config::{Configuration, Limit, LittleEndian, Varint, standard};
use serde::{Serialize, de::DeserializeOwned};

use crate::types::Error;

/// What cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fault(String);

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Error::internal(fault.0)
    }
}

/// Appends a value to `out`. Fails only on types that the format cannot carry.
pub fn encode_into<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), Fault> {
    bincode::serde::encode_into_std_write(value, out, standard())
        .map(drop)
        .map_err(|error| Fault(format!("a message cannot be encoded: {error}")))
}

/// A value as bytes.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    encode_into(value, &mut out).map(|()| out)
}

/// Reads a value that takes up all of `bytes`.
///
/// Nothing is allocated far beyond the size of `bytes`, whatever the lengths in it claim.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    // The library takes its limit as a constant, and counts a number at its full width, up to eight times what it
    // takes up; so the limit is the step above eight times the length.
    match bytes.len() {
        0..=0x1000 => within::<{ 8 << 12 }, T>(bytes),
        0x1001..=0x1_0000 => within::<{ 8 << 16 }, T>(bytes),
        0x1_0001..=0x10_0000 => within::<{ 8 << 20 }, T>(bytes),
        0x10_0001..=0x400_0000 => within::<{ 8 << 26 }, T>(bytes),
        more => Err(Fault(format!("a message of {more} bytes"))),
    }
}

fn within<const LIMIT: usize, T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    let limited: Configuration<LittleEndian, Varint, Limit<LIMIT>> = standard().with_limit::<LIMIT>();
    match bincode::serde::borrow_decode_from_slice(bytes, limited) {
        Ok((value, read)) if read == bytes.len() => Ok(value),
        Ok((_, read)) => Err(Fault(format!("a message ends {} bytes early", bytes.len() - read))),
        Err(error) => Err(Fault(format!("a message cannot be decoded: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::types::{Class, Position, Seq};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Sample {
        Nothing,
        Named { position: Position, text: String, rest: Option<Vec<u64>> },
    }

    fn sample() -> Sample {
        let position = Position { seq: Seq(u64::MAX), ..Position::default() };
        Sample::Named { position, text: "ä".into(), rest: Some(vec![1, 300, u64::MAX]) }
    }

    #[test]
    fn values_survive() {
        for value in [Sample::Nothing, sample()] {
            assert_eq!(decode::<Sample>(&encode(&value).unwrap()).unwrap(), value);
        }
        for error in [Error::new(Class::Conflict, "no"), Error::invalid("x").hint("y")] {
            let answer: Result<u32, Error> = Err(error);
            assert_eq!(decode::<Result<u32, Error>>(&encode(&answer).unwrap()).unwrap(), answer);
        }
    }

    #[test]
    fn every_cut_and_every_addition_is_refused() {
        let bytes = encode(&sample()).unwrap();
        for end in 0..bytes.len() {
            assert!(decode::<Sample>(&bytes[..end]).is_err(), "{end}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(decode::<Sample>(&longer).unwrap_err().to_string(), "a message ends 1 bytes early");
    }

    #[test]
    fn a_length_that_the_bytes_cannot_hold_is_refused() {
        // 253: a length of eight bytes follows.
        let bytes = [&[253][..], &u64::MAX.to_le_bytes()].concat();
        assert!(decode::<String>(&bytes).is_err());
        assert!(decode::<Vec<u64>>(&bytes).is_err());
        let bytes = [&[252][..], &(1u32 << 20).to_le_bytes()].concat();
        assert!(decode::<String>(&bytes).unwrap_err().to_string().contains("LimitExceeded"));
    }

    #[test]
    fn small_numbers_do_not_exhaust_the_limit() {
        let numbers = vec![1u64; 1 << 20];
        assert_eq!(decode::<Vec<u64>>(&encode(&numbers).unwrap()).unwrap(), numbers);
    }
}
