//! Which mutant is on, in the whole process.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Mutant;

/// The number of the mutant that is on, from 1; 0: none.
static ON: AtomicUsize = AtomicUsize::new(0);

/// Switches a mutant on, and the one that was on off.
pub fn switch(to: Option<Mutant>) {
    ON.store(to.map_or(0, |mutant| mutant as usize + 1), Ordering::SeqCst);
}

impl Mutant {
    /// Whether the fault is there.
    pub fn is_on(self) -> bool {
        ON.load(Ordering::Relaxed) == self as usize + 1
    }

    /// Its name on the command line.
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }
}
