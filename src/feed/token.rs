//! Where a subscription resumes, as text that a client keeps.
//!
//! ```text
//! format (1)                  1
//! cluster (8) map (4) filter (8)
//! partitions (2)
//! generation, epoch           varints: those of most partitions
//! seq of each partition       varints
//! exceptions                  varint count, then (partition, generation, epoch) as varints
//! seal (32)                   BLAKE3 of all before, keyed
//! ```
//!
//! All in URL-safe base64. The seal keeps clients from making up positions.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::types::{Epoch, Error, Generation, MapId, Position, Result, Seq};

const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 23;
const SEAL_BYTES: usize = blake3::OUT_LEN;
/// Text longer than this is no token.
const MAX_TEXT: usize = 1 << 18;

/// A position in each partition of one map's stream through one filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The cluster's id.
    pub cluster: u64,
    /// The map.
    pub map: MapId,
    /// The filter's fingerprint.
    pub filter: u64,
    /// By partition.
    pub positions: Vec<Position>,
}

impl Token {
    /// The token as text. The secret is the cluster's.
    pub fn seal(&self, secret: &[u8; 32]) -> String {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + SEAL_BYTES + 16 + 4 * self.positions.len());
        bytes.push(FORMAT);
        bytes.extend_from_slice(&self.cluster.to_le_bytes());
        bytes.extend_from_slice(&self.map.0.to_le_bytes());
        bytes.extend_from_slice(&self.filter.to_le_bytes());
        // There are at most 65,535 partitions.
        bytes.extend_from_slice(&(self.positions.len() as u16).to_le_bytes());
        let usual = self.usual();
        put_varint(&mut bytes, u64::from(usual.0.0));
        put_varint(&mut bytes, usual.1.0);
        self.positions.iter().for_each(|position| put_varint(&mut bytes, position.seq.0));
        let unusual = || self.positions.iter().enumerate().filter(|(_, position)| reign(position) != usual);
        put_varint(&mut bytes, unusual().count() as u64);
        for (partition, position) in unusual() {
            put_varint(&mut bytes, partition as u64);
            put_varint(&mut bytes, u64::from(position.generation.0));
            put_varint(&mut bytes, position.epoch.0);
        }
        let seal = blake3::keyed_hash(secret, &bytes);
        bytes.extend_from_slice(seal.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token that this cluster sealed.
    pub fn open(text: &str, secret: &[u8; 32]) -> Result<Token> {
        if text.len() > MAX_TEXT {
            return Err(unreadable());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text.trim()).map_err(|_| unreadable())?;
        let sealed = bytes.len().checked_sub(SEAL_BYTES).and_then(|at| bytes.split_at_checked(at));
        let (body, seal) = sealed.ok_or_else(unreadable)?;
        // The comparison takes the same time wherever they differ.
        if blake3::keyed_hash(secret, body) != *seal {
            return Err(unreadable());
        }
        decode(body).ok_or_else(unreadable)
    }

    /// The generation and epoch of most partitions.
    fn usual(&self) -> (Generation, Epoch) {
        let mut counts = BTreeMap::new();
        for position in &self.positions {
            *counts.entry(reign(position)).or_insert(0) += 1;
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map_or_else(Default::default, |(usual, _)| usual)
    }
}

fn reign(position: &Position) -> (Generation, Epoch) {
    (position.generation, position.epoch)
}

fn unreadable() -> Error {
    Error::invalid("this is not a token of this cluster").hint("subscribe without a token to begin anew")
}

fn decode(bytes: &[u8]) -> Option<Token> {
    let (format, rest) = bytes.split_first()?;
    let (cluster, rest) = rest.split_first_chunk()?;
    let (map, rest) = rest.split_first_chunk()?;
    let (filter, rest) = rest.split_first_chunk()?;
    let (partitions, mut rest) = rest.split_first_chunk()?;
    let partitions = usize::from(u16::from_le_bytes(*partitions));
    // Every seq takes a byte at least.
    if *format != FORMAT || rest.len() < partitions {
        return None;
    }
    let generation = Generation(u32::try_from(varint(&mut rest)?).ok()?);
    let epoch = Epoch(varint(&mut rest)?);
    let mut positions = Vec::with_capacity(partitions);
    for _ in 0..partitions {
        positions.push(Position { generation, epoch, seq: Seq(varint(&mut rest)?) });
    }
    for _ in 0..varint(&mut rest)? {
        let position = positions.get_mut(usize::try_from(varint(&mut rest)?).ok()?)?;
        position.generation = Generation(u32::try_from(varint(&mut rest)?).ok()?);
        position.epoch = Epoch(varint(&mut rest)?);
    }
    let token = Token {
        cluster: u64::from_le_bytes(*cluster),
        map: MapId(u32::from_le_bytes(*map)),
        filter: u64::from_le_bytes(*filter),
        positions,
    };
    rest.is_empty().then_some(token)
}

fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let part = u64::from(byte & 0x7f);
        number |= part << shift;
        if byte & 0x80 == 0 {
            // The tenth byte has room for one bit.
            return (shift < 63 || part <= 1).then_some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: [u8; 32] = [7; 32];

    fn at(generation: u32, epoch: u64, seq: u64) -> Position {
        Position { generation: Generation(generation), epoch: Epoch(epoch), seq: Seq(seq) }
    }

    fn token(positions: Vec<Position>) -> Token {
        Token { cluster: u64::MAX, map: MapId(3), filter: 99, positions }
    }

    #[test]
    fn a_token_of_a_young_cluster_is_short() {
        let token = token((0..271).map(|_| at(1, 1, 5_000)).collect());
        assert_eq!(token.seal(&SECRET).len(), 800);
    }

    #[test]
    fn only_the_cluster_that_sealed_it_opens_it() {
        let text = token(vec![at(1, 1, 1)]).seal(&SECRET);
        assert_eq!(
            Token::open(&text, &[8; 32]).unwrap_err().to_string(),
            "this is not a token of this cluster (subscribe without a token to begin anew)"
        );
        for at in 0..text.len() {
            let mut forged = text.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert!(Token::open(&String::from_utf8(forged).unwrap(), &SECRET).is_err(), "{at}");
        }
        assert!(Token::open(&"A".repeat(MAX_TEXT + 1), &SECRET).is_err());
    }

    #[test]
    fn a_sealed_body_is_bounded_all_the_same() {
        let mut body = vec![FORMAT];
        body.extend([0; 20]);
        body.extend(u16::MAX.to_le_bytes());
        assert_eq!(decode(&body), None);
        body.extend([0xff; 100_000]);
        assert_eq!(decode(&body), None);
    }

    proptest! {
        #[test]
        fn tokens_survive(positions in prop::collection::vec((0..3_u32, any::<u64>(), any::<u64>()), 0..40)) {
            let token = token(positions.into_iter().map(|(generation, epoch, seq)| at(generation, epoch % 3, seq)).collect());
            prop_assert_eq!(Token::open(&token.seal(&SECRET), &SECRET), Ok(token));
        }

        #[test]
        fn nothing_from_outside_panics(text in "\\PC{0,200}", body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Token::open(&text, &SECRET);
            let _ = decode(&body);
        }
    }
}
