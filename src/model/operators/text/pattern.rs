//! Regular expressions in RE2's syntax, which ONNX asks for.
//!
//! The engine of the `regex` crate reads almost the same language. What differs is rewritten, or refused: RE2's `\d`,
//! `\s`, `\w` and `\b` know ASCII alone, and a class has no operators.

use regex_automata::{
    Anchored, Input, MatchKind, Span,
    meta::{Config, Regex},
};

/// Bytes that a compiled pattern may take.
const SIZE: usize = 10 << 20;

/// A pattern that a text has to match from its beginning to its end.
pub(super) struct Whole(Regex);

impl Whole {
    /// Compiles it, or says why it is not computed.
    pub(super) fn new(re2: &str) -> Result<Whole, String> {
        compile(&format!(r"\A(?:{})\z", translate(re2)?), MatchKind::LeftmostFirst).map(Whole)
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// A pattern to be found in a text. Of several matches at the first place where there is one, the longest is meant.
pub(super) struct Longest {
    /// Tells the place, and some match there.
    first: Regex,
    /// Tells all matches at a place, the longest last.
    all: Regex,
}

impl Longest {
    /// Compiles it, or says why it is not computed.
    pub(super) fn new(re2: &str) -> Result<Longest, String> {
        let pattern = translate(re2)?;
        Ok(Longest {
            first: compile(&pattern, MatchKind::LeftmostFirst)?,
            all: compile(&pattern, MatchKind::All)?,
        })
    }

    /// The first match from byte `at` on.
    pub(super) fn find(&self, text: &str, at: usize) -> Option<Span> {
        let input = Input::new(text).range(at..);
        let some = self.first.search(&input)?;
        let there = input.range(some.start()..).anchored(Anchored::Yes);
        Some(self.all.search(&there).map_or(some.span(), |longest| longest.span()))
    }
}

fn compile(pattern: &str, kind: MatchKind) -> Result<Regex, String> {
    let config = Config::new().match_kind(kind).nfa_size_limit(Some(SIZE)).onepass_size_limit(Some(SIZE));
    let built = Regex::builder().configure(config).build(pattern);
    built.map_err(|error| format!("the pattern `{pattern}`: {error}"))
}

const DIGIT: &str = "0-9";
const SPACE: &str = r"\t\n\f\r ";
const WORD: &str = "0-9A-Za-z_";

/// The ASCII class behind a letter that RE2 and `regex` read differently.
fn ascii(letter: char) -> Option<&'static str> {
    Some(match letter.to_ascii_lowercase() {
        'd' => DIGIT,
        's' => SPACE,
        'w' => WORD,
        _ => return None,
    })
}

/// Writes a pattern of RE2 in the language of `regex`.
fn translate(re2: &str) -> Result<String, String> {
    let mut out = String::with_capacity(re2.len());
    let mut rest = re2.chars();
    let mut class = None::<Class>;
    while let Some(letter) = rest.next() {
        match (class, letter) {
            (_, '\\') => {
                let escaped =
                    rest.next().ok_or_else(|| format!("the pattern `{re2}` ends in a backslash"))?;
                escape(escaped, class.is_some(), &mut out).map_err(|what| refused(re2, what))?;
                class = class.map(|_| Class::Inside);
            }
            (None, '[') => {
                out.push('[');
                class = Some(Class::Start);
            }
            (None, '(') if rest.as_str().starts_with('?') => {
                out.push('(');
                let flags = rest.as_str()[1..].split([')', ':', '<', 'P']).next().unwrap_or_default();
                if flags.contains(['u', 'x', 'R']) {
                    return Err(refused(re2, "its flags"));
                }
            }
            (None, letter) => out.push(letter),
            (Some(state), letter) => {
                let ends = in_class(letter, state, &mut rest, &mut out).map_err(|what| refused(re2, what))?;
                class = match (ends, letter) {
                    (true, _) => None,
                    (false, '^') if state == Class::Start => Some(Class::Negated),
                    _ => Some(Class::Inside),
                };
            }
        }
    }
    Ok(out)
}

fn refused(pattern: &str, what: &str) -> String {
    format!("the pattern `{pattern}`, for {what}")
}

/// How far a class in brackets is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Start,
    /// Past the caret.
    Negated,
    Inside,
}

fn escape(letter: char, in_class: bool, out: &mut String) -> Result<(), &'static str> {
    match (ascii(letter), letter) {
        (Some(set), _) if letter.is_lowercase() && in_class => out.push_str(set),
        (Some(set), _) => {
            let not = if letter.is_uppercase() { "^" } else { "" };
            out.extend(["[", not, set, "]"]);
        }
        (None, 'b') if !in_class => out.push_str(r"(?-u:\b)"),
        (None, 'b' | 'B') => return Err(r"its `\B`"),
        // Two signs that `regex` gives a meaning of its own.
        (None, '<' | '>') => out.push(letter),
        (None, letter) => out.extend(['\\', letter]),
    }
    Ok(())
}

/// Copies a letter of a class, and tells whether it closes it.
fn in_class(
    letter: char,
    state: Class,
    rest: &mut std::str::Chars<'_>,
    out: &mut String,
) -> Result<bool, &'static str> {
    match letter {
        // The first bracket is one of the letters.
        ']' if state == Class::Inside => {
            out.push(']');
            return Ok(true);
        }
        '[' if rest.as_str().starts_with(':') => {
            let name = rest.as_str().split_inclusive(":]").next().unwrap_or_default();
            out.push('[');
            out.push_str(name);
            *rest = rest.as_str()[name.len()..].chars();
        }
        '-' if rest.as_str().starts_with('-') => return Err("its range from a dash"),
        '[' | ']' | '&' | '~' => out.extend(['\\', letter]),
        letter => out.push(letter),
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, text: &str) -> Vec<String> {
        let pattern = Longest::new(pattern).unwrap();
        let mut all = Vec::new();
        let mut at = 0;
        while let Some(span) = pattern.find(text, at).filter(|span| !span.is_empty()) {
            all.push(text[span.start..span.end].to_owned());
            at = span.end;
        }
        all
    }

    #[test]
    fn the_longest_match_wins_whatever_its_order() {
        assert_eq!(found("a|ab", "abab"), ["ab", "ab"]);
        assert_eq!(found("(ab?)?(bc)?", "abc"), ["abc"]);
        assert_eq!(found("a+?", "aaa"), ["aaa"]);
        assert_eq!(found("^a", "aa"), ["a"]);
    }

    #[test]
    fn letters_beyond_ascii_are_no_words() {
        assert_eq!(found(r"\w+", "abé éab"), ["ab", "ab"]);
        assert_eq!(found(r"[^\W\d]+", "a1é_"), ["a", "_"]);
        assert_eq!(found(r"\bb", "éb ab b"), ["b", "b"]);
        assert_eq!(found(".", "é!"), ["é", "!"]);
    }

    #[test]
    fn a_class_has_no_operators() {
        assert_eq!(found("[[&&a]+", "[a&&b]"), ["[a&&"]);
        assert_eq!(found("[]a]+", "a]b"), ["a]"]);
        assert_eq!(found("[^]a]+", "a]bc"), ["bc"]);
        assert_eq!(found("[[:alpha:]_]+", "a_1"), ["a_"]);
        assert_eq!(found(r"\<b\>", "<b>"), ["<b>"]);
    }

    #[test]
    fn what_re2_does_not_read_is_refused() {
        for pattern in [r"(?u)\w", "(?x)a b", r"\B", "[a--b]", "a\\", "(", r"\Qa.b\E"] {
            assert!(Longest::new(pattern).is_err(), "{pattern}");
        }
        assert!(Whole::new("(?i:ab)|(?P<name>c)").unwrap().matches("AB"));
        assert!(!Whole::new("a|ab").unwrap().matches("abc"));
        assert!(Whole::new("a|ab").unwrap().matches("ab"));
    }
}
