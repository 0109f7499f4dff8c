//! Bits that have flipped on the disk while the node was down.

use std::collections::BTreeMap;

use super::{
    dice::Dice,
    history::{History, Kept, Operation, Script, Storage},
    platter::{Platter, SECTOR},
    runtime,
};
use crate::control::raft::Vote;

const OPERATIONS: usize = 40;
/// The head of the database's file: what it is, and two places for the root of all pages.
const HEAD_BYTES: usize = 320;
/// Which of the two counts, and how the last process ended.
const STATE_BYTE: usize = 9;

/// Where a bit flipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Region {
    Head,
    /// Written with the last operation: a crash might have torn it.
    Latest,
    Older,
    Free,
}

/// What became of the flips of a region.
#[derive(Clone, Copy, Debug, Default)]
struct Fate {
    noticed: usize,
    /// All that is kept was found as it was.
    harmless: usize,
}

type Fates = BTreeMap<Region, Fate>;

/// No flipped bit changes what is found: it is noticed, or it is where nothing is kept.
#[test]
fn a_flipped_bit_is_noticed_or_harmless() {
    let mut fates = Fates::new();
    for seed in 1..=2 {
        runtime().block_on(flip_everywhere(seed, &mut fates));
    }
    eprintln!("{fates:?}");
    assert!(fates[&Region::Head].noticed >= 100, "{fates:?}");
    assert!(fates[&Region::Latest].noticed >= 30, "{fates:?}");
    assert!(fates[&Region::Older].noticed >= 50, "{fates:?}");
    assert_eq!(fates[&Region::Free].noticed, 0);
}

async fn flip_everywhere(seed: u64, fates: &mut Fates) {
    let mut operations = Script::of(seed, OPERATIONS).await;
    operations.push(Operation::Vote(Vote::new(500, 1)));
    let history = History::of(&operations).await;
    let mut dice = Dice::new(seed);
    let [.., before, last] = &history.marks[..] else { panic!("too short a history") };
    let is_latest = |byte: usize| {
        let steps = &history.steps[before.steps..last.steps];
        steps.iter().filter_map(|step| step.written()).any(|written| written.contains(&byte))
    };
    for (ended, bytes) in [("killed", &history.killed), ("closed", &history.closed)] {
        for (byte, bit) in places(bytes, is_latest, &mut dice) {
            let mut flipped = bytes.clone();
            flipped[byte] ^= 1 << bit;
            let place = format!("seed {seed}, {ended}, byte {byte}, bit {bit}");
            let fate = fates.entry(region(bytes, byte, is_latest)).or_default();
            match is_noticed(flipped, &last.kept, &place).await {
                true => fate.noticed += 1,
                false => fate.harmless += 1,
            }
        }
    }
}

/// The bits to flip: one of every byte of the head and of every sector, more where it matters most.
fn places(bytes: &[u8], is_latest: impl Fn(usize) -> bool, dice: &mut Dice) -> Vec<(usize, u8)> {
    let mut places: Vec<(usize, u8)> = (0..8).map(|bit| (STATE_BYTE, bit)).collect();
    places.extend((0..HEAD_BYTES).map(|byte| (byte, dice.below(8) as u8)));
    for sector in (SECTOR..bytes.len()).step_by(SECTOR) {
        let flips = match region(bytes, sector, &is_latest) {
            Region::Latest => 4,
            Region::Older => 1,
            _ => usize::from(dice.chance(10)),
        };
        // Most of a page may be unused.
        let used: Vec<usize> = (sector..sector + SECTOR).filter(|byte| bytes[*byte] != 0).collect();
        for _ in 0..flips {
            let byte = match used.is_empty() || dice.chance(50) {
                true => sector + dice.below(SECTOR),
                false => used[dice.below(used.len())],
            };
            places.push((byte, dice.below(8) as u8));
        }
    }
    places
}

fn region(bytes: &[u8], byte: usize, is_latest: impl Fn(usize) -> bool) -> Region {
    let sector = byte - byte % SECTOR;
    match byte {
        ..HEAD_BYTES => Region::Head,
        _ if is_latest(byte) => Region::Latest,
        _ if bytes[sector..sector + SECTOR].iter().all(|byte| *byte == 0) => Region::Free,
        _ => Region::Older,
    }
}

/// Whether the damage keeps the node from starting; if not, all is as it was, and stays so.
async fn is_noticed(flipped: Vec<u8>, kept: &Kept, place: &str) -> bool {
    let platter = Platter::holding(flipped);
    let mut storage = match Storage::open(&platter).await {
        Ok(storage) => storage,
        Err(fault) => {
            assert!(fault.to_string().starts_with("the control database"), "{place}: {fault}");
            // A node that is started again and again does not get used to it.
            if let Ok(again) = Storage::open(&platter).await {
                assert!(kept.may_be(&again.kept().unwrap()), "{place}");
            }
            return true;
        }
    };
    let found = storage.kept().unwrap();
    assert!(kept.may_be(&found), "{place}: found {found:#?}");
    let vote = Operation::Vote(Vote::new(1_000, 1));
    storage.perform(&vote).await.unwrap();
    drop(storage);
    let again = Storage::open(&platter).await.unwrap_or_else(|fault| panic!("{place}: {fault}"));
    assert!(vote.after(&found).may_be(&again.kept().unwrap()), "{place}");
    false
}
