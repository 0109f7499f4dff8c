//! What the one who writes a key knows of it.

/// The values that a key may hold: they rise by one with each write.
#[derive(Default)]
pub(crate) struct Ledger {
    /// The last value whose write was acknowledged; 0: there is none.
    acknowledged: u64,
    /// Values since then whose writes were refused: they may have taken effect all the same.
    in_doubt: Vec<u64>,
}

impl Ledger {
    /// The value to write next.
    pub(crate) fn next(&self) -> u64 {
        self.in_doubt.last().unwrap_or(&self.acknowledged) + 1
    }

    /// The write of this value was acknowledged.
    pub(crate) fn acknowledge(&mut self, value: u64) {
        self.acknowledged = value;
        self.in_doubt.clear();
    }

    /// The write of this value was refused.
    pub(crate) fn doubt(&mut self, value: u64) {
        self.in_doubt.push(value);
    }

    /// Whether the key may hold this: anything else means that an acknowledged write is lost.
    pub(crate) fn allows(&self, found: Option<u64>) -> bool {
        let found = found.unwrap_or(0);
        found == self.acknowledged || self.in_doubt.contains(&found)
    }
}

impl std::fmt::Display for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} acknowledged, {:?} in doubt", self.acknowledged, self.in_doubt)
    }
}
