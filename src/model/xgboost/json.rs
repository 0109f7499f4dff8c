//! Files in JSON. XGBoost has words in it that JSON has not: `NaN`, `Infinity` and `-Infinity`.

use std::borrow::Cow;

use super::{
    super::{Error, Limits},
    document::Document,
    unreadable,
};

/// Arrays and objects within each other; a file of XGBoost has eight.
pub(super) const DEPTH: usize = 32;

/// XGBoost's words, what stands for them in JSON, and what they mean. They are of one length, so that messages name the
/// right places.
const WORDS: [(&str, &str, f32); 3] = [
    ("NaN", "\"N\"", f32::NAN),
    ("Infinity", "\"+Infin\"", f32::INFINITY),
    ("-Infinity", "\"-Infini\"", f32::NEG_INFINITY),
];

/// The number that stands in quotes instead of a word.
pub(super) fn number(quoted: &str) -> Option<f32> {
    let found = WORDS.iter().find(|(_, json, _)| json.trim_matches('"') == quoted);
    found.map(|(_, _, number)| *number)
}

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Document, Error> {
    let text = plain(bytes, limits)?;
    serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))
}

/// The file without XGBoost's own words. Before anything is taken from it, what it claims to hold is counted.
fn plain<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Cow<'a, [u8]>, Error> {
    let mut text = Cow::Borrowed(bytes);
    let (mut depth, mut values, mut strings) = (0_usize, 0, 0);
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        at += match rest[0] {
            b'"' => {
                strings += 1;
                Error::limit("the number of strings", strings, limits.texts)?;
                let length = quoted(rest);
                Error::limit("the length of a string in bytes", length, limits.text)?;
                length
            }
            b'[' | b'{' => {
                depth += 1;
                if depth > DEPTH {
                    return Err(unreadable(format!("it is nested deeper than {DEPTH} levels at byte {at}")));
                }
                1
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                1
            }
            b',' => {
                values += 1;
                Error::limit("the number of values", values, limits.parameters)?;
                1
            }
            _ => match WORDS.iter().find(|(word, ..)| rest.starts_with(word.as_bytes())) {
                Some((word, json, _)) => {
                    text.to_mut()[at..at + word.len()].copy_from_slice(json.as_bytes());
                    word.len()
                }
                None => 1,
            },
        };
    }
    Ok(text)
}

/// How long a string is, quotes included.
fn quoted(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plainly(text: &str) -> String {
        let plain = plain(text.as_bytes(), &Limits::default()).expect("within limits");
        String::from_utf8(plain.into_owned()).expect("text")
    }

    #[test]
    fn words_are_replaced_outside_of_strings_and_take_as_much_room() {
        let text = r#"{"NaN":[NaN,-Infinity,Infinity,-1],"a\"Infinity":"\\"}"#;
        let expected = r#"{"NaN":["N","-Infini","+Infin",-1],"a\"Infinity":"\\"}"#;
        assert_eq!(plainly(text), expected);
        assert_eq!(text.len(), expected.len());
        assert!(matches!(plain(b"{\"NaN\":1}", &Limits::default()), Ok(Cow::Borrowed(_))));
        assert_eq!(number("-Infini"), Some(f32::NEG_INFINITY));
        assert_eq!(number("NaN"), None);
    }

    #[test]
    fn strings_that_do_not_end_are_taken_to_the_end() {
        for text in ["\"", "\"\\", "[\"a\\\"", "\"\\\""] {
            assert_eq!(plainly(text), text);
        }
    }
}
