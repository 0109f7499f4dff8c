//! A seed that fails is cut down: to as few troubles as it takes to fail in the same way, in a storm as short.
//!
//! Troubles are left out by Zeller's delta debugging. To leave one out changes what is left to chance in all that follows,
//! so each attempt is made with a few throws of that.

use super::arguments::Arguments;
use super::cluster::{Plan, Trouble};
use super::seeds::{Failure, again, attempt};

/// Throws for each attempt, unless somebody is in a hurry.
const THROWS: u64 = 6;
/// The first words of what an oracle says are what it is about; the rest shows what it saw.
const WORDS: usize = 8;

/// A smaller plan under which a seed fails in the same way.
#[derive(Debug)]
pub(crate) struct Shrunk {
    pub(crate) plan: Plan,
    pub(crate) failure: Failure,
    /// How many troubles there were before.
    pub(crate) before: usize,
}

/// Shrinks the seed that the arguments name; true if it fails, and does so again when it is small.
pub(crate) fn run(arguments: &Arguments) -> bool {
    let seed = arguments.from;
    let Some(Shrunk { plan, failure, before }) = shrink(seed, &arguments.plan(), THROWS) else {
        println!("seed {seed} does not fail");
        return false;
    };
    println!("{} of {before} troubles are left:", failure.troubles.len());
    for Trouble { number, at_us, what } in &failure.troubles {
        println!("{at_us:>10} trouble {number}: {what}");
    }
    println!("{}\nagain: {}", failure.broken, again(seed, &plan));
    true
}

/// None if the seed does not fail. Each attempt is made with so many throws of what is left to chance.
pub(crate) fn shrink(seed: u64, plan: &Plan, throws: u64) -> Option<Shrunk> {
    let failure = attempt(seed, plan).err()?;
    let before = failure.troubles.len();
    let mut search = Search { seed, throws, words: words(&failure.broken), plan: plan.clone(), failure };
    search.leave_out();
    search.shorten();
    let Search { plan, failure, .. } = search;
    Some(Shrunk { plan, failure, before })
}

struct Search {
    seed: u64,
    throws: u64,
    /// What it says each time.
    words: Vec<String>,
    /// The smallest so far, and how it fails.
    plan: Plan,
    failure: Failure,
}

impl Search {
    /// Whether it fails in the same way under a plan, which then is the smallest.
    fn fails(&mut self, plan: Plan) -> bool {
        let chances = std::iter::once(self.plan.chance).chain(0..self.throws);
        for chance in chances {
            let plan = Plan { chance, ..plan.clone() };
            if let Err(failure) = attempt(self.seed, &plan)
                && words(&failure.broken) == self.words
            {
                (self.plan, self.failure) = (plan, failure);
                return true;
            }
        }
        false
    }

    /// Leaves out one part of the troubles after the other, and smaller parts when nothing more goes.
    fn leave_out(&mut self) {
        let (mut kept, mut parts) = (self.numbers(), 2);
        while !kept.is_empty() {
            let size = kept.len().div_ceil(parts);
            let without = |at: usize| {
                let left = kept.iter().enumerate().filter(|(place, _)| place / size != at);
                left.map(|(_, number)| *number).collect::<Vec<u32>>()
            };
            let smaller: Vec<Vec<u32>> = (0..kept.len().div_ceil(size)).map(without).collect();
            let found = smaller.into_iter().any(|only| {
                let plan = Plan { only: Some(only), ..self.plan.clone() };
                self.fails(plan)
            });
            match found {
                // Of those, some may not have come to pass.
                true => (kept, parts) = (self.numbers(), 2.max(parts - 1)),
                false if size == 1 => return,
                false => parts = kept.len().min(parts * 2),
            }
        }
    }

    fn numbers(&self) -> Vec<u32> {
        self.failure.troubles.iter().map(|trouble| trouble.number).collect()
    }

    /// The storm need not go on after it has failed; maybe it need not last even so long.
    fn shorten(&mut self) {
        let last_us = self.failure.troubles.last().map_or(0, |trouble| trouble.at_us);
        let whole_ms = |us: u64| us.div_ceil(1_000) * 1_000;
        for more_us in [50_000, 300_000, 1_000_000, 3_000_000] {
            let storm_us = whole_ms(last_us + more_us);
            if storm_us < self.plan.storm_us && self.fails(Plan { storm_us, ..self.plan.clone() }) {
                return;
            }
        }
    }
}

/// What a failure is about: plain words, none of them from within something that is shown.
fn words(broken: &str) -> Vec<String> {
    let (mut depth, mut plain) = (0_usize, String::new());
    for letter in broken.chars() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(letter),
            _ => {}
        }
    }
    let words = plain.split(|letter: char| !letter.is_alphanumeric());
    let is_plain = |word: &&str| !word.is_empty() && word.chars().all(|letter| letter.is_ascii_lowercase());
    words.filter(is_plain).take(WORDS).map(str::to_owned).collect()
}
