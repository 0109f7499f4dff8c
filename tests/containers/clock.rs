//! The one place of this program that reads the clock.

use std::time::{Duration, Instant};

/// Now.
#[allow(clippy::disallowed_methods, reason = "what happens to real nodes happens in real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Looks again and again until it is so, for so long at most; a look says how it stands otherwise.
pub(crate) fn wait_until<T>(
    what: &str,
    most: Duration,
    mut look: impl FnMut() -> Result<T, String>,
) -> Result<T, String> {
    let start = now();
    loop {
        match look() {
            Ok(found) => return Ok(found),
            Err(stands) if start.elapsed() > most => {
                return Err(format!("it does not come to that within {most:.0?}: {what}: {stands}"));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}
