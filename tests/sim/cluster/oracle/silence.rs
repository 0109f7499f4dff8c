//! "Every node keeps beacon ages" (the protocol's failure detection): who has slept heard nobody, and blames nobody for it
//! before having listened for a whole failure timeout.

use super::{Verdict, ensure};

/// How long one supervisor has been listening.
#[derive(Default)]
pub(crate) struct Vigil {
    last_us: u64,
    since_us: u64,
}

impl Vigil {
    /// It takes something in, at a true time.
    pub(crate) fn note(&mut self, now_us: u64, failure_timeout_us: u64) {
        if now_us - self.last_us > failure_timeout_us {
            self.since_us = now_us;
        }
        self.last_us = now_us;
    }

    /// It takes another node to be silent. Clocks differ by less than a twentieth.
    pub(crate) fn check(&self, failure_timeout_us: u64) -> Verdict {
        let listened_us = self.last_us - self.since_us;
        ensure(listened_us + failure_timeout_us / 20 >= failure_timeout_us, || {
            format!("a node that slept blames another for silence after {listened_us} us")
        })
    }
}
