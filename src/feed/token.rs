//! Tokens: where a subscription stands in every partition, in a form that users can keep.
//!
//! ```text
//! version (1) = 1, cluster (8), map (4), filter (8), partition count (varint)
//! runs of equal (generation, epoch): run length, generation, epoch (varints), until all partitions are covered
//! seq of each partition (varints)
//! signature (16): keyed BLAKE3 of everything before it, cut to 128 bits
//! ```
//! All of it in URL-safe base64 without padding. Integers are little-endian; varints are LEB128.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::types::{Epoch, Error, Generation, MapId, Position, Result, Seq};

const VERSION: u8 = 1;
const SIGNATURE_BYTES: usize = 16;
/// The most partitions that a token can speak of.
const MAX_PARTITIONS: usize = 1 << 16;
/// The longest token accepted, in characters.
pub const MAX_TOKEN_BYTES: usize = 1 << 20;

/// What tokens are signed with; the same on every node of a cluster.
#[derive(Clone)]
pub struct TokenKey([u8; 32]);

impl TokenKey {
    /// The key of the cluster with this id and secret.
    pub fn derive(cluster: u64, secret: &[u8]) -> Self {
        let mut material = cluster.to_le_bytes().to_vec();
        material.extend_from_slice(secret);
        TokenKey(blake3::derive_key("embergrid 2026 subscription token", &material))
    }

    fn sign(&self, body: &[u8]) -> [u8; SIGNATURE_BYTES] {
        let mut signature = [0; SIGNATURE_BYTES];
        signature.copy_from_slice(&blake3::keyed_hash(&self.0, body).as_bytes()[..SIGNATURE_BYTES]);
        signature
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(..)")
    }
}

/// Where a subscription stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The cluster it is of.
    pub cluster: u64,
    /// The map it reads.
    pub map: MapId,
    /// XXH3-64 of the predicate's text.
    pub filter: u64,
    /// By partition.
    pub positions: Vec<Position>,
}

impl Token {
    /// The token as text.
    pub fn encode(&self, key: &TokenKey) -> String {
        let mut body = Vec::with_capacity(32 + self.positions.len() * 3);
        body.push(VERSION);
        body.extend_from_slice(&self.cluster.to_le_bytes());
        body.extend_from_slice(&self.map.0.to_le_bytes());
        body.extend_from_slice(&self.filter.to_le_bytes());
        put_varint(&mut body, self.positions.len() as u64);
        for run in self.positions.chunk_by(|a, b| tenure(a) == tenure(b)) {
            let Some(first) = run.first() else { continue };
            put_varint(&mut body, run.len() as u64);
            put_varint(&mut body, u64::from(first.generation.0));
            put_varint(&mut body, first.epoch.0);
        }
        for position in &self.positions {
            put_varint(&mut body, position.seq.0);
        }
        body.extend_from_slice(&key.sign(&body));
        BASE64_URL_SAFE_NO_PAD.encode(body)
    }

    /// Reads a token that came from outside.
    pub fn decode(text: &str, key: &TokenKey) -> Result<Token> {
        let refuse = |what: &str| {
            Err(Error::invalid(format!("the token {what}"))
                .hint("use a token of this cluster unchanged, or subscribe without one"))
        };
        if text.len() > MAX_TOKEN_BYTES {
            return refuse("is too long");
        }
        let Ok(bytes) = BASE64_URL_SAFE_NO_PAD.decode(text) else { return refuse("is not base64") };
        let Some((body, signature)) = bytes.split_last_chunk::<SIGNATURE_BYTES>() else {
            return refuse("is cut short");
        };
        if !constant_time_eq(&key.sign(body), signature) {
            return refuse("is not signed by this cluster");
        }
        match (Fields { rest: body }).token() {
            Some(token) => Ok(token),
            None => refuse("is malformed"),
        }
    }
}

fn tenure(position: &Position) -> (Generation, Epoch) {
    (position.generation, position.epoch)
}

/// Compares without telling by its duration where the two differ.
fn constant_time_eq(a: &[u8; SIGNATURE_BYTES], b: &[u8; SIGNATURE_BYTES]) -> bool {
    a.iter().zip(b).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

struct Fields<'a> {
    rest: &'a [u8],
}

impl Fields<'_> {
    fn token(&mut self) -> Option<Token> {
        if self.take::<1>()? != [VERSION] {
            return None;
        }
        let cluster = u64::from_le_bytes(self.take()?);
        let map = MapId(u32::from_le_bytes(self.take()?));
        let filter = u64::from_le_bytes(self.take()?);
        let count = usize::try_from(self.varint()?).ok().filter(|count| *count <= MAX_PARTITIONS)?;
        let mut positions: Vec<Position> = Vec::with_capacity(count);
        while positions.len() < count {
            let run = usize::try_from(self.varint()?)
                .ok()
                .filter(|run| (1..=count - positions.len()).contains(run))?;
            let generation = Generation(u32::try_from(self.varint()?).ok()?);
            let epoch = Epoch(self.varint()?);
            positions.resize(positions.len() + run, Position { generation, epoch, seq: Seq(0) });
        }
        for position in &mut positions {
            position.seq = Seq(self.varint()?);
        }
        self.rest.is_empty().then_some(Token { cluster, map, filter, positions })
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*head)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.take::<1>()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(positions: Vec<(u32, u64, u64)>) -> Token {
        let positions = positions
            .into_iter()
            .map(|(generation, epoch, seq)| Position {
                generation: Generation(generation),
                epoch: Epoch(epoch),
                seq: Seq(seq),
            })
            .collect();
        Token { cluster: 7, map: MapId(3), filter: 9, positions }
    }

    proptest! {
        #[test]
        fn survives(positions in prop::collection::vec((0..3_u32, 0..3_u64, any::<u64>()), 0..300)) {
            let key = TokenKey::derive(7, b"secret");
            let token = token(positions);
            prop_assert_eq!(Token::decode(&token.encode(&key), &key), Ok(token));
        }

        #[test]
        fn anything_else_is_refused(text in "[A-Za-z0-9_-]{0,80}") {
            prop_assert!(Token::decode(&text, &TokenKey::derive(7, b"")).is_err());
        }
    }

    #[test]
    fn another_clusters_token_is_refused() {
        let text = token(vec![(1, 1, 5)]).encode(&TokenKey::derive(7, b"secret"));
        let error = Token::decode(&text, &TokenKey::derive(8, b"secret")).unwrap_err();
        assert_eq!(error.message, "the token is not signed by this cluster");
    }

    #[test]
    fn a_token_of_271_quiet_partitions_is_short() {
        let text = token(vec![(1, 1, 90); 271]).encode(&TokenKey::derive(7, b""));
        assert!(text.len() < 450, "{}", text.len());
    }
}
