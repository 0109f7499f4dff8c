//! One stored row: everything about it in a single allocation behind an eight-byte handle.
//!
//! ```text
//! flags (1)         bits 0..=2: bytes of the row version, less one; then UNSCORED, EXPIRES, LINEAGE, LONG_KEY, BY_JOB
//! key length        1 byte, or 2 with LONG_KEY
//! row version       1 to 8 bytes, little-endian
//! key               packed
//! value             a packed row, or opaque bytes
//! expiry (8)        only with EXPIRES: milliseconds since the Unix epoch
//! lineage           only with LINEAGE: 8 bytes a binding (id, model version), with BY_JOB 12 (and the job, 0 for none);
//!                   then their count (1)
//! ```
//!
//! Why not a struct with fields: a map of small rows is mostly overhead, and this form costs five to seven bytes
//! beside the reference count, the length and the allocator's own word.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use smallvec::SmallVec;
use triomphe::ThinArc;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::packed::{self, Malformed};
use crate::types::{BindingId, JobId, RowVersion, Timestamp};

pub(super) const VERSION_BYTES: u8 = 0b0000_0111;
const UNSCORED: u8 = 0b0000_1000;
pub(super) const EXPIRES: u8 = 0b0001_0000;
pub(super) const LINEAGE: u8 = 0b0010_0000;
pub(super) const LONG_KEY: u8 = 0b0100_0000;
pub(super) const BY_JOB: u8 = 0b1000_0000;

/// Bytes of one binding's lineage.
pub(super) const PLAIN_BYTES: usize = 8;
/// The same where a job is named: only the rows that a job has come by pay for it.
const JOB_BYTES: usize = 12;

/// The bindings that one row can carry scores of.
pub const MAX_LINEAGE: usize = u8::MAX as usize;

/// What a score in the row was computed by. The row version it was computed from is the record's own: every
/// write of the row voids its scores, and a score-only entry applies only while the row version is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// The binding that asked for the score.
    pub binding: BindingId,
    /// The version of the model that computed it.
    pub model_version: u32,
    /// The job that asked for it after the fact; none: the write of the row itself did.
    pub job: Option<JobId>,
}

impl Lineage {
    fn is_by_job(&self) -> bool {
        self.job.is_some()
    }

    fn pack(&self, with_job: bool, packed: &mut SmallVec<[u8; 1024]>) {
        packed.extend_from_slice(&self.binding.0.to_le_bytes());
        packed.extend_from_slice(&self.model_version.to_le_bytes());
        if with_job {
            packed.extend_from_slice(&self.job.unwrap_or(JobId::NONE).0.to_le_bytes());
        }
    }

    /// Of 8 bytes or 12.
    fn unpack(packed: &[u8]) -> Lineage {
        let number = |at: usize| {
            packed.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
        };
        let job = Some(JobId(number(PLAIN_BYTES))).filter(|job| *job != JobId::NONE);
        Lineage { binding: BindingId(number(0)), model_version: number(4), job }
    }
}

/// What a record is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The packed key.
    pub key: &'a [u8],
    /// A packed row, or opaque bytes.
    pub value: &'a [u8],
    /// The seq of the entry that wrote the row.
    pub row_version: RowVersion,
    /// When the row is due to expire, in partition time.
    pub expires_at: Option<Timestamp>,
    /// A score is missing and owed.
    pub unscored: bool,
    /// Which scores the row carries; at most [`MAX_LINEAGE`].
    pub lineage: SmallVec<[Lineage; 2]>,
}

/// One stored row. Immutable; a clone is another handle of the same memory.
#[derive(Clone)]
pub struct Record(ThinArc<(), u8>);

impl Record {
    /// Builds a record from its parts. The key is of a checked [`crate::types::Key`]: at most 1,024 bytes.
    pub fn new(parts: &Parts<'_>) -> Record {
        let mut packed: SmallVec<[u8; 1024]> = SmallVec::new();
        let kept = &parts.lineage[..parts.lineage.len().min(MAX_LINEAGE)];
        let with_job = kept.iter().any(Lineage::is_by_job);
        packed.reserve_exact(24 + parts.key.len() + parts.value.len() + lineage_bytes(with_job) * kept.len());
        let version = parts.row_version.0.to_le_bytes();
        let version_len = version.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1);
        let mut flags = (version_len - 1) as u8;
        flags |= if parts.unscored { UNSCORED } else { 0 };
        flags |= if parts.expires_at.is_some() { EXPIRES } else { 0 };
        flags |= if kept.is_empty() { 0 } else { LINEAGE };
        flags |= if with_job { BY_JOB } else { 0 };
        match u8::try_from(parts.key.len()) {
            Ok(len) => packed.extend_from_slice(&[flags, len]),
            Err(_) => {
                packed.push(flags | LONG_KEY);
                packed.extend_from_slice(&(parts.key.len() as u16).to_le_bytes());
            }
        }
        packed.extend_from_slice(&version[..version_len]);
        packed.extend_from_slice(parts.key);
        packed.extend_from_slice(parts.value);
        if let Some(at) = parts.expires_at {
            packed.extend_from_slice(&at.0.to_le_bytes());
        }
        if !kept.is_empty() {
            kept.iter().for_each(|lineage| lineage.pack(with_job, &mut packed));
            packed.push(kept.len() as u8);
        }
        Record(ThinArc::from_header_and_slice((), &packed))
    }

    /// Takes over packed bytes from outside, after checking them.
    pub fn from_packed(packed: &[u8]) -> Result<Record, Malformed> {
        packed::check(packed)?;
        Ok(Record(ThinArc::from_header_and_slice((), packed)))
    }

    /// The packed key.
    pub fn key(&self) -> &[u8] {
        let layout = self.layout();
        &self.bytes()[layout.key..layout.value]
    }

    /// A packed row, or opaque bytes.
    pub fn value(&self) -> &[u8] {
        let layout = self.layout();
        &self.bytes()[layout.value..layout.end]
    }

    /// The seq of the entry that wrote the row.
    pub fn row_version(&self) -> RowVersion {
        let layout = self.layout();
        let mut version = [0; 8];
        let packed = &self.bytes()[layout.version..layout.key];
        version[..packed.len()].copy_from_slice(packed);
        RowVersion(u64::from_le_bytes(version))
    }

    /// When the row is due to expire, in partition time.
    pub fn expires_at(&self) -> Option<Timestamp> {
        if self.flags() & EXPIRES == 0 {
            return None;
        }
        let tail = self.bytes().get(self.layout().end..)?;
        Some(Timestamp(i64::from_le_bytes(*tail.first_chunk()?)))
    }

    /// Whether a score is missing and owed.
    pub fn unscored(&self) -> bool {
        self.flags() & UNSCORED != 0
    }

    /// Which scores the row carries.
    pub fn lineage(&self) -> impl ExactSizeIterator<Item = Lineage> + '_ {
        let (bytes, flags) = (self.bytes(), self.flags());
        let count = if flags & LINEAGE == 0 { 0 } else { usize::from(bytes[bytes.len() - 1]) };
        let each = lineage_bytes(flags & BY_JOB != 0);
        let packed =
            if count == 0 { &[][..] } else { &bytes[bytes.len() - 1 - each * count..bytes.len() - 1] };
        packed.chunks_exact(each).map(Lineage::unpack)
    }

    /// Whether the row, as it was last written, has been scored by this job under this binding.
    pub fn is_scored_by(&self, job: JobId, binding: BindingId) -> bool {
        self.flags() & BY_JOB != 0
            && self.lineage().any(|lineage| lineage.binding == binding && lineage.job == Some(job))
    }

    /// What the record is made of, to build its successor from.
    pub fn parts(&self) -> Parts<'_> {
        Parts {
            key: self.key(),
            value: self.value(),
            row_version: self.row_version(),
            expires_at: self.expires_at(),
            unscored: self.unscored(),
            lineage: self.lineage().collect(),
        }
    }

    /// The bytes it holds, without the allocator's own.
    pub fn size(&self) -> usize {
        self.bytes().len()
    }

    /// A hash of all there is to it, for comparing replicas.
    pub fn digest(&self, seed: u64) -> u64 {
        xxh3_64_with_seed(self.bytes(), seed)
    }

    /// Reads where the record begins and where it ends, so that it is near when it is needed. The number means nothing.
    pub fn touch(&self) -> usize {
        let bytes = self.bytes();
        bytes.len() + usize::from(bytes[bytes.len() - 1])
    }

    /// Whether both are handles of the same memory.
    pub fn same(&self, other: &Record) -> bool {
        std::ptr::eq(self.bytes(), other.bytes())
    }

    /// All of it, packed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0.slice
    }

    fn flags(&self) -> u8 {
        self.bytes()[0]
    }

    fn layout(&self) -> Layout {
        let bytes = self.bytes();
        let flags = bytes[0];
        let (key_len, version) = if flags & LONG_KEY == 0 {
            (usize::from(bytes[1]), 2)
        } else {
            (usize::from(u16::from_le_bytes([bytes[1], bytes[2]])), 3)
        };
        let key = version + usize::from(flags & VERSION_BYTES) + 1;
        let mut end = bytes.len();
        if flags & LINEAGE != 0 {
            end -= 1 + lineage_bytes(flags & BY_JOB != 0) * usize::from(bytes[end - 1]);
        }
        if flags & EXPIRES != 0 {
            end -= 8;
        }
        Layout { version, key, value: key + key_len, end }
    }
}

pub(super) fn lineage_bytes(with_job: bool) -> usize {
    if with_job { JOB_BYTES } else { PLAIN_BYTES }
}

/// Where the sections begin; `end` is where the value ends.
struct Layout {
    version: usize,
    key: usize,
    value: usize,
    end: usize,
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Record {}

/// By key alone, as a table finds it.
impl Hash for Record {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.key());
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use smallvec::smallvec;

    use super::*;

    #[test]
    fn a_handle_is_eight_bytes() {
        assert_eq!(size_of::<Record>(), 8);
        assert_eq!(size_of::<Option<Record>>(), 8);
    }

    #[test]
    fn a_plain_record_costs_three_bytes_and_its_version() {
        let parts = Parts {
            key: b"key",
            value: b"value",
            row_version: RowVersion(0x1_0000),
            expires_at: None,
            unscored: false,
            lineage: smallvec![],
        };
        assert_eq!(Record::new(&parts).size(), 3 + 5 + 2 + 3);
    }

    #[test]
    fn only_a_row_that_a_job_scored_pays_for_its_name() {
        let scored = |jobs: &[Option<u32>]| {
            let lineage = jobs.iter().map(|job| Lineage {
                binding: BindingId(1),
                model_version: 1,
                job: job.map(JobId),
            });
            Record::new(&Parts {
                key: b"key",
                value: b"value",
                row_version: RowVersion(1),
                expires_at: Some(Timestamp(5)),
                unscored: false,
                lineage: lineage.collect(),
            })
        };
        let without = scored(&[]).size();
        assert_eq!(scored(&[None]).size(), without + 8 + 1);
        assert_eq!(scored(&[None, None]).size(), without + 16 + 1);
        assert_eq!(scored(&[Some(7)]).size(), without + 12 + 1);
        assert_eq!(scored(&[None, Some(7)]).size(), without + 24 + 1);
    }

    proptest! {
        #[test]
        fn parts_survive(
            key in prop_oneof![prop::collection::vec(any::<u8>(), 0..40), prop::collection::vec(any::<u8>(), 250..1024)],
            value in prop::collection::vec(any::<u8>(), 0..2000),
            row_version in prop_oneof![any::<u64>(), 0..70_000_u64],
            expires_at in prop::option::of(any::<i64>()),
            unscored: bool,
            lineage in prop::collection::vec((any::<u32>(), any::<u32>(), prop::option::of(1..9_u32)), 0..4),
        ) {
            let parts = Parts {
                key: &key,
                value: &value,
                row_version: RowVersion(row_version),
                expires_at: expires_at.map(Timestamp),
                unscored,
                lineage: lineage
                    .into_iter()
                    .map(|(binding, model_version, job)| Lineage {
                        binding: BindingId(binding),
                        model_version,
                        job: job.map(JobId),
                    })
                    .collect(),
            };
            let record = Record::new(&parts);
            for lineage in &parts.lineage {
                for job in (1..9).map(JobId) {
                    let named = |other: &Lineage| other.binding == lineage.binding && other.job == Some(job);
                    prop_assert_eq!(record.is_scored_by(job, lineage.binding), parts.lineage.iter().any(named));
                }
            }
            prop_assert_eq!(record.parts(), parts);
        }
    }
}
