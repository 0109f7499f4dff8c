//! What a bench is told after `--`.

/// `--json`, `--rounds N`, `--kills N`, `--moves N`, `--quick`; what cargo adds by itself is passed over.
pub(crate) struct Arguments {
    /// One object on stdout in place of the table.
    pub(crate) json: bool,
    /// How often every side runs; the median counts.
    pub(crate) rounds: usize,
    /// How often `failover` kills a node.
    pub(crate) kills: u64,
    /// How much `migration` moves.
    pub(crate) moves: u64,
    /// Divides the work: 1 in full, more for a look.
    pub(crate) divisor: u64,
}

impl Arguments {
    /// Reads the arguments of this process.
    pub(crate) fn read() -> Self {
        let mut read = Self { json: false, rounds: 5, kills: 50, moves: 300, divisor: 1 };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--json" => read.json = true,
                "--rounds" => read.rounds = words.next().and_then(|n| n.parse().ok()).expect("--rounds N"),
                "--kills" => read.kills = words.next().and_then(|n| n.parse().ok()).expect("--kills N"),
                "--moves" => read.moves = words.next().and_then(|n| n.parse().ok()).expect("--moves N"),
                "--quick" => (read.rounds, read.divisor) = (1, 10),
                "--bench" => {}
                other => panic!(
                    "unknown argument {other}: known are --json, --rounds N, --kills N, --moves N, --quick"
                ),
            }
        }
        read
    }
}
