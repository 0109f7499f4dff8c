//! What the simulation is told on the command line.

use super::cluster::Plan;

/// Seeds to run, or cases by name as with any other test.
#[derive(Default)]
pub(crate) struct Arguments {
    /// How many seeds to run in place of the cases.
    pub(crate) seeds: Option<u64>,
    /// The first one.
    pub(crate) from: u64,
    /// Seeds as short as those that the cases run.
    pub(crate) short: bool,
    /// Nodes join and drain, and nothing goes wrong.
    moves: bool,
    /// The numbers of the troubles that come to pass; all, if none is named.
    only: Option<Vec<u32>>,
    /// How long things go wrong, in milliseconds of virtual time.
    storm_ms: Option<u64>,
    /// What is left to chance beside the troubles falls out in another way for each number.
    chance: u64,
    /// Each seed is run twice, and must come to the same trace.
    pub(crate) twice: bool,
    /// A seed that fails is cut down to few troubles.
    pub(crate) shrink: bool,
    /// What happens is told on stderr.
    pub(crate) tell: bool,
    /// One object on stdout.
    pub(crate) json: bool,
    pub(crate) list: bool,
    /// Known faults are switched on, those that are named or all.
    pub(crate) mutants: bool,
    /// A few of them, by the day.
    pub(crate) rotate: Option<u64>,
    /// How many seeds each of them may survive.
    pub(crate) most: Option<u64>,
    exact: bool,
    wanted: Vec<String>,
    skipped: Vec<String>,
}

impl Arguments {
    /// Reads the arguments of this process. Those of Rust's own test harness are taken for what they mean, or passed over.
    pub(crate) fn read() -> Self {
        let mut read = Self::default();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let (flag, value) =
                word.split_once('=').map_or((word.as_str(), None), |(a, b)| (a, Some(b.to_owned())));
            let mut value =
                || value.clone().or_else(|| words.next()).unwrap_or_else(|| panic!("{flag} takes a value"));
            let number =
                |text: String| text.parse().unwrap_or_else(|_| panic!("{flag} takes a number, not {text}"));
            match flag {
                "--seeds" => read.seeds = Some(number(value())),
                "--from" => read.from = number(value()),
                "--only" => {
                    let numbers = value();
                    let numbers = numbers.split(',').filter(|number| !number.is_empty());
                    read.only = Some(numbers.map(|text| number(text.to_owned()) as u32).collect());
                }
                "--storm-ms" => read.storm_ms = Some(number(value())),
                "--chance" => read.chance = number(value()),
                "--twice" => read.twice = true,
                "--shrink" => {
                    read.shrink = true;
                    read.seeds = read.seeds.or(Some(1));
                }
                "--tell" => read.tell = true,
                "--short" => read.short = true,
                "--moves" => read.moves = true,
                "--json" => read.json = true,
                "--list" => read.list = true,
                "--mutants" => read.mutants = true,
                "--rotate" => read.rotate = Some(number(value())),
                "--most" => read.most = Some(number(value())),
                "--exact" => read.exact = true,
                "--skip" => read.skipped.push(value()),
                "--test-threads" | "--format" | "--color" | "--logfile" | "-Z" => drop(value()),
                flag if flag.starts_with('-') => {}
                name => read.wanted.push(name.to_owned()),
            }
        }
        read
    }

    /// What a seed of the cluster is to show.
    pub(crate) fn plan(&self) -> Plan {
        let plan = if self.short { Plan::short() } else { Plan::full() };
        let storm_us = self.storm_ms.map_or(plan.storm_us, |ms| ms * 1_000);
        Plan {
            storm_us,
            only_moves: self.moves,
            only: self.only.clone(),
            chance: self.chance,
            is_told: self.tell,
            ..plan
        }
    }

    /// What is named.
    #[cfg(feature = "mutants")]
    pub(crate) fn names(&self) -> &[String] {
        &self.wanted
    }

    /// Whether the case is to run.
    pub(crate) fn wants(&self, case: &str) -> bool {
        let is = |name: &String| if self.exact { case == name } else { case.contains(name) };
        (self.wanted.is_empty() || self.wanted.iter().any(is)) && !self.skipped.iter().any(is)
    }
}
