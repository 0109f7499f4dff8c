//! A sum on everything that is kept on disk: a bit that has flipped is noticed wherever it is read.

use serde::de::IgnoredAny;
use xxhash_rust::xxh3::xxh3_64_with_seed;

const SUM_BYTES: usize = 8;

/// The sum of bytes and of the place where they are kept.
pub(super) fn sum(place: &[u8], bytes: &[u8]) -> [u8; SUM_BYTES] {
    xxh3_64_with_seed(bytes, xxh3_64_with_seed(place, 0)).to_le_bytes()
}

/// `bytes` with the sum of them and of the place where they are kept.
pub(super) fn sealed(place: &[u8], bytes: &[u8]) -> Vec<u8> {
    [&sum(place, bytes)[..], bytes].concat()
}

/// The bytes without their sum; none if it is not theirs.
///
/// Release 0.1 wrote JSON without one, and what does not begin with a sum is read as that.
pub(super) fn unsealed<'a>(place: &[u8], stored: &'a [u8]) -> Option<&'a [u8]> {
    if let Some((first, bytes)) = stored.split_first_chunk()
        && *first == sum(place, bytes)
    {
        return Some(bytes);
    }
    serde_json::from_slice::<IgnoredAny>(stored).is_ok().then_some(stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_noticed() {
        let stored = sealed(b"7", br#"{"a":1}"#);
        assert_eq!(unsealed(b"7", &stored), Some(&br#"{"a":1}"#[..]));
        assert_eq!(unsealed(b"8", &stored), None);
        for bit in 0..stored.len() * 8 {
            let mut damaged = stored.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unsealed(b"7", &damaged), None, "{bit}");
        }
        assert_eq!(unsealed(b"7", &stored[..stored.len() - 1]), None);
    }

    #[test]
    fn what_release_0_1_wrote_is_read() {
        for stored in [&b"null"[..], br#"{"vote":{"term":3}}"#, b"[1,2]"] {
            assert_eq!(unsealed(b"vote", stored), Some(stored));
        }
        assert_eq!(unsealed(b"vote", b""), None);
    }
}
