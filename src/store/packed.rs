//! Records as bytes that come from outside: whatever passes the check here can be read without another.

#![deny(clippy::indexing_slicing)]

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor},
};

use super::{
    Record,
    record::{BY_JOB, EXPIRES, LINEAGE, LONG_KEY, PLAIN_BYTES, VERSION_BYTES, lineage_bytes},
};
use crate::types::KeyRef;

/// The bytes are not a record in its one packed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the packed record is malformed")]
pub struct Malformed;

/// Whether the sections that the bytes announce are there, and the key is one. Numbers must not be longer than they
/// need be: replicas are compared by bytes.
pub(super) fn check(bytes: &[u8]) -> Result<(), Malformed> {
    is_record(bytes).filter(|is_record| *is_record).map(drop).ok_or(Malformed)
}

fn is_record(bytes: &[u8]) -> Option<bool> {
    let (&flags, rest) = bytes.split_first()?;
    let (key_len, rest) = if flags & LONG_KEY == 0 {
        let (&len, rest) = rest.split_first()?;
        (usize::from(len), rest)
    } else {
        let (len, rest) = rest.split_first_chunk::<2>()?;
        (usize::from(u16::from_le_bytes(*len)), rest)
    };
    let (version, rest) = rest.split_at_checked(usize::from(flags & VERSION_BYTES) + 1)?;
    let (key, rest) = rest.split_at_checked(key_len)?;
    let by_job = flags & BY_JOB != 0;
    let rest = if flags & LINEAGE == 0 { rest } else { without_lineage(rest, by_job)? };
    let fits = flags & EXPIRES == 0 || rest.len() >= 8;
    let is_shortest = (flags & LONG_KEY == 0 || key_len > usize::from(u8::MAX))
        && (version.len() == 1 || version.last() != Some(&0));
    let is_of_lineage = !by_job || flags & LINEAGE != 0;
    Some(is_of_lineage && fits && is_shortest && KeyRef::from_packed(key).is_ok())
}

/// What is before the lineage, which is not empty, and names a job if it has room for one.
fn without_lineage(bytes: &[u8], by_job: bool) -> Option<&[u8]> {
    let (&count, rest) = bytes.split_last()?;
    let each = lineage_bytes(by_job);
    let (left, lineage) = rest.split_at_checked(rest.len().checked_sub(each * usize::from(count))?)?;
    let names_job = |one: &[u8]| one.get(PLAIN_BYTES..).is_some_and(|job| job.iter().any(|byte| *byte != 0));
    (count > 0 && (!by_job || lineage.chunks_exact(each).any(names_job))).then_some(left)
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.bytes())
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(Packed)
    }
}

struct Packed;

impl<'de> Visitor<'de> for Packed {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a packed record")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Record, E> {
        Record::from_packed(bytes).map_err(E::custom)
    }

    /// In a format that has no bytes.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Record, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        self.visit_bytes(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use smallvec::smallvec;

    use super::*;
    use crate::{
        store::{Lineage, Parts},
        types::{BindingId, JobId, Key, RowVersion, Timestamp},
    };

    /// A record with everything that one can have.
    fn full(key: &[u8]) -> Record {
        full_by(key, None)
    }

    fn full_by(key: &[u8], job: Option<JobId>) -> Record {
        let lineage = |binding| Lineage { binding: BindingId(binding), model_version: 7, job };
        Record::new(&Parts {
            key,
            value: b"value",
            row_version: RowVersion(0x1_0203),
            expires_at: Some(Timestamp(-1)),
            unscored: true,
            lineage: smallvec![lineage(1), lineage(2)],
        })
    }

    fn long_key() -> Key {
        Key::new(KeyRef::Bytes(&[7; 300]), Some(b"affinity")).unwrap()
    }

    #[test]
    fn records_survive() {
        let records = |key: Key| [None, Some(JobId(3))].map(|job| full_by(key.packed(), job));
        for record in [Key::from(5), long_key()].into_iter().flat_map(records) {
            assert_eq!(Record::from_packed(record.bytes()), Ok(record.clone()));
            let text = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
        }
    }

    #[test]
    fn what_is_not_the_packed_form_is_refused() {
        let packed = full(Key::from(5).packed()).bytes().to_vec();
        let changed = |at: usize, byte: u8| {
            let mut bytes = packed.clone();
            bytes[at] = byte;
            Record::from_packed(&bytes)
        };
        let unscored = packed[0] & !LINEAGE;
        assert_eq!(changed(0, unscored | BY_JOB), Err(Malformed), "a job without lineage");
        assert_eq!(changed(1, 200), Err(Malformed), "the key is longer than all there is");
        assert_eq!(changed(1, 8), Err(Malformed), "half a key is none");
        assert_eq!(changed(4, 0), Err(Malformed), "the row version has a byte too many");
        assert_eq!(changed(packed.len() - 1, 0), Err(Malformed), "no lineage is said by the flag");
        assert_eq!(changed(packed.len() - 1, 9), Err(Malformed), "more lineage than there are bytes");
        let text = serde_json::to_string(&packed[..9]).unwrap();
        let error = serde_json::from_str::<Record>(&text).unwrap_err().to_string();
        assert!(error.contains("the packed record is malformed"), "{error}");
    }

    /// Reads everything; the record must be what its parts make.
    fn read(bytes: &[u8]) -> bool {
        let Ok(record) = Record::from_packed(bytes) else { return false };
        record.touch();
        assert_eq!(Record::new(&record.parts()), record);
        true
    }

    #[test]
    fn every_cut_can_be_read_or_is_refused() {
        for key in [Key::from(5), long_key()] {
            let packed = full(key.packed()).bytes().to_vec();
            let taken = (0..packed.len()).filter(|len| read(&packed[..*len])).count();
            assert!(taken < packed.len() / 2, "{taken}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_can_be_read(
            flags: u8,
            key_len in 0_u8..12,
            rest in prop::collection::vec(prop_oneof![0_u8..4, any::<u8>()], 0..60),
        ) {
            read(&[&[flags, key_len][..], &rest].concat());
        }
    }
}
