//! What redb takes on trust from the head of its file, looked at before redb does.
//!
//! The head has a slot for each of the last two commits, under a sum, and one bit that names the one that counts. No sum
//! covers that bit: flipped, it would take back a vote in silence. While redb commits in two phases the slot that does
//! not count is the newer one only between the phases, and then either of them will do. So where it is newer, redb is
//! made to choose for itself: it takes the newer one if all sums of its pages are right.
//!
//! The layout is that of redb's file format 3, `docs/design.md` there.

use std::io;

use redb::StorageBackend;
use xxhash_rust::xxh3::xxh3_128;

const MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";
const STATE: usize = 9;
const SECOND_COUNTS: u8 = 1;
const IN_TWO_PHASES: u8 = 4;

/// What is read at one time: how long the file is says whoever wrote it.
const PIECE_BYTES: usize = 4_096;
const HEAD_BYTES: usize = 320;
const SLOTS: usize = 64;
const SLOT_BYTES: usize = 128;
const TRANSACTION: usize = 104;
const SUM: usize = 112;

/// Makes redb see the head for what it is.
pub(super) fn mend(backend: &impl StorageBackend) -> io::Result<()> {
    let mut head = [0; HEAD_BYTES];
    if backend.len()? < HEAD_BYTES as u64 {
        return Ok(());
    }
    backend.read(0, &mut head)?;
    if is_unfinished(backend, &head)? {
        return backend.set_len(0);
    }
    if head.starts_with(MAGIC) && newer_does_not_count(&head) {
        backend.write(STATE as u64, &[head[STATE] & !IN_TWO_PHASES])?;
        backend.sync_data()?;
    }
    Ok(())
}

/// Whether the process ended as it made the file: redb begins with zeros, and takes them for somebody else's file.
fn is_unfinished(backend: &impl StorageBackend, head: &[u8; HEAD_BYTES]) -> io::Result<bool> {
    if head[..MAGIC.len()].iter().any(|byte| *byte != 0) {
        return Ok(false);
    }
    let (end, mut at, mut piece) = (backend.len()?, HEAD_BYTES as u64, [0; PIECE_BYTES]);
    while at < end {
        let piece = &mut piece[..PIECE_BYTES.min((end - at) as usize)];
        backend.read(at, piece)?;
        if piece.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        at += piece.len() as u64;
    }
    Ok(true)
}

fn newer_does_not_count(head: &[u8; HEAD_BYTES]) -> bool {
    let state = head[STATE];
    let (slots, _) = head[SLOTS..].as_chunks::<SLOT_BYTES>();
    let [first, second] = [0, 1].map(|slot| transaction(&slots[slot]));
    let (counts, other) = if state & SECOND_COUNTS == 0 { (first, second) } else { (second, first) };
    // If the sum of the one that counts is wrong there is nothing to choose: redb says that it is damaged.
    state & IN_TWO_PHASES != 0 && counts.is_some() && other > counts
}

/// The number of a slot's commit; none if its sum is wrong.
fn transaction(slot: &[u8; SLOT_BYTES]) -> Option<u64> {
    let is_whole = xxh3_128(&slot[..SUM]).to_le_bytes() == slot[SUM..];
    let (number, _) = slot[TRANSACTION..SUM].as_chunks();
    is_whole.then(|| u64::from_le_bytes(number[0]))
}
