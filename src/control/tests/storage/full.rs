//! A disk that is full, from any write on.

use super::{
    dice::Dice,
    history::{History, Kept, Mark, Operation, Script, Storage},
    platter::{Platter, SECTOR},
    runtime,
};
use crate::control::disk::Fault;

const OPERATIONS: usize = 40;
/// One of so many operations is tried from the start of the node to its end, the others by themselves.
const WHOLE_LIVES: usize = 8;

/// What was looked at.
#[derive(Default)]
struct Seen {
    /// Points at which the disk was full.
    points: usize,
    /// Those of them at which the node had not started yet.
    starting: usize,
}

/// What is not acknowledged may be there or not; the error says why; with room again all of it is whole.
#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let mut seen = Seen::default();
    for seed in 1..=2 {
        runtime().block_on(fill_up_everywhere(seed, &mut seen));
    }
    let Seen { points, starting } = seen;
    eprintln!("{points} points at which the disk was full, {starting} of them at the start");
    assert!(points >= 700 && starting >= 100);
}

async fn fill_up_everywhere(seed: u64, seen: &mut Seen) {
    let operations = Script::of(seed, OPERATIONS).await;
    let history = History::of(&operations).await;
    let mut dice = Dice::new(seed);
    for (number, (operation, marks)) in operations.iter().zip(history.marks.windows(2)).enumerate() {
        let [before, after] = marks else { unreachable!() };
        let life = Life { before, operation, possible: [before, after].map(|mark| mark.at_worst(before)) };
        let [opened, performed, ended] = life.steps().await;
        let whole = number % WHOLE_LIVES == 0;
        for room in if whole { 0..ended } else { opened..performed } {
            life.fill_up(room, &mut dice, &format!("seed {seed}, {operation:?}, room for {room}")).await;
            seen.points += 1;
            seen.starting += usize::from(room < opened);
        }
    }
}

/// A node starts, does one thing, and ends.
struct Life<'a> {
    before: &'a Mark,
    operation: &'a Operation,
    /// What is on the disk without the operation, and with it.
    possible: [Kept; 2],
}

impl Life<'_> {
    /// How much it asks of the disk until it has started, has done the thing, and has ended.
    async fn steps(&self) -> [usize; 3] {
        let platter = Platter::holding(self.before.bytes.clone());
        let mut storage = self.start(&platter).await.unwrap();
        let opened = platter.step_count();
        storage.perform(self.operation).await.unwrap();
        let performed = platter.step_count();
        drop(storage);
        [opened, performed, platter.step_count()]
    }

    async fn start(&self, platter: &Platter) -> Result<Storage, Fault> {
        let mut storage = Storage::open(platter).await?;
        storage.catch_up(&self.before.kept).await;
        Ok(storage)
    }

    /// It lives on a disk that takes so many writes, and is looked at once there is room again.
    async fn fill_up(&self, room: usize, dice: &mut Dice, point: &str) {
        let platter = Platter::holding(self.before.bytes.clone());
        platter.fill_up_after(room, dice.below(8) * SECTOR);
        let is_acknowledged = match self.start(&platter).await {
            Err(fault) => is_named(&fault.to_string(), point),
            Ok(mut storage) => match storage.perform(self.operation).await {
                Ok(()) => true,
                Err(error) => is_named(&error.to_string(), point),
            },
        };
        assert!(platter.was_full(), "{point}");
        let possible = &self.possible[usize::from(is_acknowledged)..];
        let again = Storage::open(&Platter::holding(platter.bytes())).await;
        let found = again.unwrap_or_else(|fault| panic!("{point}: {fault}")).kept().unwrap();
        assert!(possible.iter().any(|kept| kept.may_be(&found)), "{point}: found {found:#?}");
    }
}

/// The error says why. Nothing is acknowledged by it.
fn is_named(error: &str, point: &str) -> bool {
    assert!(error.contains("no space left on device"), "{point}: {error}");
    false
}
