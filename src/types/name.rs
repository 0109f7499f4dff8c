//! Names of maps, models, aliases and bindings.

use super::{Error, Result};

/// The longest name, in characters.
pub const MAX_NAME_CHARS: usize = 64;

/// Refuses what cannot name a `what`: names are 1 to 64 of `[a-zA-Z0-9_-]`.
pub fn check_name(what: &str, name: &str) -> Result<()> {
    let fits = (1..=MAX_NAME_CHARS).contains(&name.len());
    if fits && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
        return Ok(());
    }
    let shown: String = name.chars().take(MAX_NAME_CHARS).collect();
    Err(Error::invalid(format!("`{}` cannot name a {what}", shown.escape_debug()))
        .hint("names are 1 to 64 letters, digits, `_` and `-`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_short() {
        for name in ["a", "screening", "A-1_b", &"x".repeat(64)] {
            assert_eq!(check_name("map", name), Ok(()));
        }
        for name in ["", "a b", "a.b", "é", "a@1", "a/b", "x\n", &"x".repeat(65)] {
            assert!(check_name("map", name).is_err(), "{name}");
        }
        assert_eq!(
            check_name("map", "a b").unwrap_err().to_string(),
            "`a b` cannot name a map (names are 1 to 64 letters, digits, `_` and `-`)"
        );
    }
}
