//! A disk that remembers all that was asked of it, can be full, and can be looked at as a crash would leave it.

use std::{io, ops::Range, sync::Arc};

use parking_lot::Mutex;
use redb::StorageBackend;

use super::dice::Dice;

/// What a disk writes whole or not at all.
pub(super) const SECTOR: usize = 512;

/// A disk. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Platter(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What is read: a write counts at once, as it does for as long as the system lives.
    bytes: Vec<u8>,
    steps: Vec<Step>,
    /// So many more steps are taken; then the disk is full.
    room: Option<usize>,
    /// How much of the write that finds the disk full goes there all the same.
    last_gasp: usize,
}

/// One thing that was asked of a disk.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Write(usize, Vec<u8>),
    Length(usize),
    Sync,
}

impl Platter {
    /// A disk that holds these bytes.
    pub(super) fn holding(bytes: Vec<u8>) -> Self {
        Platter(Arc::new(Mutex::new(State { bytes, ..State::default() })))
    }

    /// What the system reads.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.lock().bytes.clone()
    }

    /// How much was asked of it.
    pub(super) fn step_count(&self) -> usize {
        self.0.lock().steps.len()
    }

    pub(super) fn steps(&self) -> Vec<Step> {
        self.0.lock().steps.clone()
    }

    /// Takes so many more steps, then none; of the first write that is refused so many bytes go to the disk.
    pub(super) fn fill_up_after(&self, steps: usize, last_gasp: usize) {
        let mut state = self.0.lock();
        (state.room, state.last_gasp) = (Some(steps), last_gasp);
    }

    /// Whether anything was refused.
    pub(super) fn was_full(&self) -> bool {
        self.0.lock().room == Some(0)
    }

    fn take(&self, step: Step) -> io::Result<()> {
        let mut state = self.0.lock();
        match &mut state.room {
            Some(0) => {
                if let Step::Write(at, bytes) = step {
                    let gasp = std::mem::take(&mut state.last_gasp).min(bytes.len());
                    write(&mut state.bytes, at, &bytes[..gasp]);
                }
                return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left on device"));
            }
            Some(room) => *room -= 1,
            None => {}
        }
        step.perform(&mut state.bytes);
        state.steps.push(step);
        Ok(())
    }
}

impl StorageBackend for Platter {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let at = offset as usize;
        let state = self.0.lock();
        let found = state.bytes.get(at..at.saturating_add(out.len()));
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.take(Step::Length(len as usize))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.take(Step::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.take(Step::Write(offset as usize, data.to_vec()))
    }
}

impl Step {
    fn perform(&self, bytes: &mut Vec<u8>) {
        match self {
            Step::Write(at, written) => write(bytes, *at, written),
            Step::Length(length) => bytes.resize(*length, 0),
            Step::Sync => {}
        }
    }

    /// Where it wrote.
    pub(super) fn written(&self) -> Option<Range<usize>> {
        match self {
            Step::Write(at, bytes) => Some(*at..at + bytes.len()),
            Step::Length(_) | Step::Sync => None,
        }
    }
}

/// Writes what lies within the file.
fn write(bytes: &mut [u8], at: usize, written: &[u8]) {
    let end = bytes.len().min(at + written.len());
    if at < end {
        bytes[at..end].copy_from_slice(&written[..end - at]);
    }
}

/// How much of what was not synced outlives a crash.
#[derive(Clone, Copy, Debug)]
pub(super) enum Survives {
    Nothing,
    /// As if only the process had ended.
    All,
    /// Any subset of the writes, torn between sectors, and the length as it was at some moment.
    Some,
}

/// A crash after each step of a disk in turn.
pub(super) struct Crashes {
    /// The disk as of the last sync.
    synced: Vec<u8>,
    unsynced: Vec<Step>,
    coming: std::vec::IntoIter<Step>,
    /// How many steps there were before the crash.
    pub(super) after: usize,
}

impl Crashes {
    /// Of a disk that held `synced` before the first of the steps.
    pub(super) fn of(synced: Vec<u8>, steps: Vec<Step>) -> Self {
        Crashes { synced, unsynced: Vec::new(), coming: steps.into_iter(), after: 0 }
    }

    /// One step later; false if there is none.
    pub(super) fn step(&mut self) -> bool {
        match self.coming.next() {
            Some(Step::Sync) => self.unsynced.drain(..).for_each(|step| step.perform(&mut self.synced)),
            Some(step) => self.unsynced.push(step),
            None => return false,
        }
        self.after += 1;
        true
    }

    /// The crashes that differ at this point.
    pub(super) fn kinds(&self) -> &'static [Survives] {
        match self.unsynced.is_empty() {
            true => &[Survives::Nothing],
            false => &[Survives::All, Survives::Some],
        }
    }

    /// What the crash leaves.
    pub(super) fn left(&self, survives: Survives, dice: &mut Dice) -> Vec<u8> {
        let mut left = self.synced.clone();
        match survives {
            Survives::Nothing => {}
            Survives::All => self.unsynced.iter().for_each(|step| step.perform(&mut left)),
            Survives::Some => self.tear(&mut left, dice),
        }
        left
    }

    fn tear(&self, left: &mut Vec<u8>, dice: &mut Dice) {
        let resized = self.unsynced.iter().filter(|step| matches!(step, Step::Length(_))).count();
        let mut resizes = dice.below(resized + 1);
        for step in &self.unsynced {
            match step {
                Step::Write(at, bytes) => match dice.below(3) {
                    0 => {}
                    1 => write(left, *at, bytes),
                    _ => tear(left, *at, bytes, dice),
                },
                // The lengths of a file follow each other: what is lost of them is the end.
                Step::Length(_) if resizes == 0 => {}
                Step::Length(_) => {
                    resizes -= 1;
                    step.perform(left);
                }
                Step::Sync => {}
            }
        }
    }
}

/// Writes some sectors of it.
fn tear(left: &mut [u8], at: usize, bytes: &[u8], dice: &mut Dice) {
    let mut done = 0;
    while done < bytes.len() {
        let end = bytes.len().min(done + SECTOR - (at + done) % SECTOR);
        if dice.chance(50) {
            write(left, at + done, &bytes[done..end]);
        }
        done = end;
    }
}
