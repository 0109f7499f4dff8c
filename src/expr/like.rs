//! `LIKE`.

/// A pattern: `%` is any text, `_` any one character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
    /// Whether case is ignored (`ILIKE`).
    folded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Any,
    One,
    This(char),
}

impl Pattern {
    /// Reads a pattern; `None` if it ends with the escape character.
    pub(super) fn new(text: &str, escape: Option<char>, folded: bool) -> Option<Self> {
        let mut parts: Vec<Part> = Vec::new();
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            match char {
                _ if Some(char) == escape => Self::literal(&mut parts, chars.next()?, folded),
                '%' if parts.last() == Some(&Part::Any) => {}
                '%' => parts.push(Part::Any),
                '_' => parts.push(Part::One),
                _ => Self::literal(&mut parts, char, folded),
            }
        }
        Some(Pattern { parts, folded })
    }

    fn literal(parts: &mut Vec<Part>, char: char, folded: bool) {
        if folded {
            parts.extend(char.to_lowercase().map(Part::This));
        } else {
            parts.push(Part::This(char));
        }
    }

    /// Whether the whole text matches. Work is bounded by text times pattern, and nothing is allocated unless case is
    /// ignored.
    pub(super) fn matches(&self, text: &str) -> bool {
        if self.folded { self.matches_exactly(&text.to_lowercase()) } else { self.matches_exactly(text) }
    }

    /// Only the last `%` ever needs to be tried again: what the earlier ones left is a shortest match.
    fn matches_exactly(&self, text: &str) -> bool {
        let (mut rest, mut at) = (text.chars(), 0);
        let mut retry: Option<(std::str::Chars<'_>, usize)> = None;
        loop {
            let before = rest.clone();
            let next = rest.next();
            match (self.parts.get(at), next) {
                (Some(Part::Any), _) => {
                    rest = before;
                    at += 1;
                    retry = Some((rest.clone(), at));
                }
                (Some(Part::One), Some(_)) => at += 1,
                (Some(Part::This(wanted)), Some(char)) if *wanted == char => at += 1,
                (None, None) => return true,
                // Nothing left to try, or the last `%` takes one character more.
                _ => match retry.as_mut() {
                    Some((from, part)) if !from.as_str().is_empty() => {
                        from.next();
                        rest = from.clone();
                        at = *part;
                    }
                    _ => return false,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_sql_says() {
        for (pattern, text, expected) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("", "", true),
            ("%", "", true),
            ("%", "anything", true),
            ("a%", "abc", true),
            ("%c", "abc", true),
            ("%b%", "abc", true),
            ("%b", "abc", false),
            ("_", "ü", true),
            ("_", "", false),
            ("a_c%e", "abcde", true),
            ("%ab%ab%", "aab_aab", true),
            ("%ab%abb", "abaabb", true),
            ("%%a%%", "bab", true),
            ("100!%", "100%", true),
            ("100!%", "1000", false),
            ("!!", "!", true),
        ] {
            assert_eq!(
                Pattern::new(pattern, Some('!'), false).unwrap().matches(text),
                expected,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn ignores_case_when_asked() {
        assert!(Pattern::new("GRÜ_E%", None, true).unwrap().matches("grüße aus"));
        assert!(!Pattern::new("GRÜ_E%", None, false).unwrap().matches("grüße aus"));
        assert_eq!(Pattern::new("a!", Some('!'), false), None);
    }

    #[test]
    fn hostile_patterns_take_bounded_work() {
        let pattern = Pattern::new(&"%a".repeat(2_000), None, false).unwrap();
        assert!(!pattern.matches(&"a".repeat(1_999)));
        assert!(pattern.matches(&"a".repeat(2_000)));
    }
}
