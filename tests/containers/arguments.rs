//! What the witness is told on the command line.

use std::path::PathBuf;

/// One run of one test.
pub(crate) struct Arguments {
    /// Which test.
    pub(crate) test: String,
    /// Decides whatever is left to chance.
    pub(crate) seed: u64,
    /// How many nodes are killed (`failover`).
    pub(crate) kills: u64,
    /// How long it goes on (`soak`).
    pub(crate) minutes: u64,
    /// How many rows the cluster holds (`scale`).
    pub(crate) rows: u64,
    /// How many hundredths of a processor each node is given at most, if it is limited (`scale`).
    pub(crate) cpu: Option<u64>,
    /// Payments as CSV, with a header and the id first.
    pub(crate) payments: PathBuf,
    /// What the model makes of them, a line each.
    pub(crate) scores: PathBuf,
    /// Where the offsets of the nodes' clocks lie, a file a node, if their clocks can be moved.
    pub(crate) clocks: Option<PathBuf>,
    /// There is such a file once the cluster and its maps are there.
    pub(crate) ready: PathBuf,
    /// What runs Compose on the cluster.
    pub(crate) compose: PathBuf,
}

impl Arguments {
    /// Reads the arguments of this process.
    pub(crate) fn read() -> Result<Self, String> {
        let mut words = std::env::args().skip(1);
        let mut read = Self {
            test: words.next().ok_or("which test?")?,
            seed: 1,
            kills: 20,
            minutes: 10,
            rows: 1_000_000,
            cpu: None,
            payments: PathBuf::new(),
            scores: PathBuf::new(),
            clocks: None,
            ready: PathBuf::new(),
            compose: PathBuf::from("docker/compose"),
        };
        while let Some(flag) = words.next() {
            let value = words.next().ok_or_else(|| format!("{flag} takes a value"))?;
            let number = || value.parse().map_err(|_| format!("{flag} takes a number, not {value}"));
            match flag.as_str() {
                "--seed" => read.seed = number()?,
                "--kills" => read.kills = number()?,
                "--minutes" => read.minutes = number()?,
                "--rows" => read.rows = number()?,
                "--cpu" => read.cpu = Some(number()?),
                "--payments" => read.payments = value.into(),
                "--scores" => read.scores = value.into(),
                "--clocks" => read.clocks = Some(value.into()),
                "--ready" => read.ready = value.into(),
                "--compose" => read.compose = value.into(),
                _ => return Err(format!("{flag} means nothing here")),
            }
        }
        Ok(read)
    }
}
