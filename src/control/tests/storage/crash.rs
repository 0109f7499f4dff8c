//! The disk as a crash may leave it, at every write and every sync.

use openraft::StorageHelper;

use super::{
    dice::Dice,
    history::{History, Kept, Operation, Script, Storage},
    platter::{Crashes, Platter},
    runtime,
};
use crate::control::raft::Vote;

/// How many operations each seed is good for.
const OPERATIONS: usize = 40;
/// One of so many crashes is followed by others while the node recovers.
const CRASHES_AGAIN: usize = 100;

/// What was looked at.
#[derive(Default)]
struct Seen {
    operations: usize,
    /// Points at which a disk was cut off.
    points: usize,
    /// Disks that were opened after a crash.
    crashes: usize,
    /// Those of them that had crashed twice.
    again: usize,
}

/// No acknowledged entry is lost, no vote is given twice, and a crash alone damages nothing.
#[test]
fn what_was_acknowledged_outlives_a_crash_at_any_write() {
    let mut seen = Seen::default();
    for seed in 1..=3 {
        runtime().block_on(crash_everywhere(seed, &mut seen));
    }
    let Seen { operations, points, crashes, again } = seen;
    eprintln!(
        "{operations} operations, {points} points, {crashes} crashes, {again} of them while recovering"
    );
    assert!(points >= 1_200 && crashes >= 2_500 && again >= 300);
}

async fn crash_everywhere(seed: u64, seen: &mut Seen) {
    let operations = Script::of(seed, OPERATIONS).await;
    let history = History::of(&operations).await;
    seen.operations += operations.len();
    let mut dice = Dice::new(seed);
    let mut crashes = Crashes::of(Vec::new(), history.steps.clone());
    while crashes.step() {
        seen.points += 1;
        for survives in crashes.kinds() {
            let left = crashes.left(*survives, &mut dice);
            let point = format!("seed {seed}, step {}, {survives:?} survives", crashes.after);
            let possible = history.possible(crashes.after);
            let recovered = recover(left.clone(), &possible, &point).await;
            seen.crashes += 1;
            if dice.below(CRASHES_AGAIN) == 0 {
                crash_again(left, &possible, &recovered, &mut dice, &point, seen).await;
            }
        }
    }
}

/// Opens what a crash left: it is what may be there, and openraft can go on with it.
async fn recover(left: Vec<u8>, possible: &[&Kept], point: &str) -> Kept {
    let platter = Platter::holding(left);
    let mut storage = match Storage::open(&platter).await {
        Ok(storage) => storage,
        Err(fault) => panic!("{point}: {fault}"),
    };
    let found = storage.kept().unwrap();
    assert!(possible.iter().any(|kept| kept.may_be(&found)), "{point}: found {found:#?}");
    let state = StorageHelper::new(&mut storage.log, &mut storage.machine).get_initial_state().await.unwrap();
    assert_eq!(*state.vote_ref(), found.vote.unwrap_or_default(), "{point}");
    assert!(state.committed >= found.committed, "{point}");
    found
}

/// Crashes while the node recovers from a crash, and votes.
async fn crash_again(
    left: Vec<u8>,
    possible: &[&Kept],
    recovered: &Kept,
    dice: &mut Dice,
    point: &str,
    seen: &mut Seen,
) {
    let platter = Platter::holding(left.clone());
    let mut storage = Storage::open(&platter).await.unwrap();
    let opened = platter.step_count();
    let vote = Vote::new(1_000, 1);
    storage.perform(&Operation::Vote(vote)).await.unwrap();
    let voted = platter.step_count();
    let mut crashes = Crashes::of(left, platter.steps());
    let with_vote = Operation::Vote(vote).after(recovered);
    while crashes.step() {
        let kinds = crashes.kinds();
        let survives = kinds[dice.below(kinds.len())];
        let left = crashes.left(survives, dice);
        let point = format!("{point}; then step {}, {survives:?} survives", crashes.after);
        match crashes.after {
            // It has said nothing yet.
            after if after < opened => recover(left, possible, &point).await,
            after if after < voted => recover(left, &[recovered, &with_vote], &point).await,
            _ => recover(left, &[&with_vote], &point).await,
        };
        seen.crashes += 1;
        seen.again += 1;
    }
}
