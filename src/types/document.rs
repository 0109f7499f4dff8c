//! TOML documents: the files users write.

use serde::de::DeserializeOwned;

use super::{Error, Result, nearest};

/// The largest TOML document read, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;

/// Reads a TOML document into `T`, which denies unknown fields.
///
/// `place` names the document in errors, which say `place:line` and suggest the nearest key.
pub fn read_toml<T: DeserializeOwned>(place: &str, text: &str) -> Result<T> {
    if text.len() > MAX_DOCUMENT_BYTES {
        return Err(Error::invalid(format!(
            "{place}: the file has {} bytes, more than the limit of {MAX_DOCUMENT_BYTES}",
            text.len()
        )));
    }
    toml::from_str(text).map_err(|error| explain(&error, text).within(position(place, text, &error)))
}

fn position(place: &str, text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.as_bytes().get(..span.start));
    match before {
        // A missing key spans the whole document: it has no line.
        Some([]) | None => place.to_owned(),
        Some(before) => format!("{place}:{}", 1 + before.iter().filter(|byte| **byte == b'\n').count()),
    }
}

/// Serde tells an unknown key only as text: `` unknown field `a`, expected one of `b`, `c` ``.
fn explain(error: &toml::de::Error, text: &str) -> Error {
    let message = error.message().trim();
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (what, named) = match (message, quoted.split_first()) {
        (field, Some(named)) if field.starts_with("unknown field") => ("there is no key", named),
        (variant, Some(named)) if variant.starts_with("unknown variant") => ("there is no choice", named),
        (missing, Some((name, _))) if missing.starts_with("missing field") => {
            return Error::invalid(format!("the key `{name}` is missing"));
        }
        _ => return Error::invalid(plain(message, error, text)),
    };
    let (name, known) = named;
    let error = Error::invalid(format!("{what} `{name}`"));
    match nearest(name, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if known.is_empty() => error,
        None => error.hint(format!("here can stand `{}`", known.join("`, `"))),
    }
}

/// The parser's words; for a wrong value also the value.
fn plain(message: &str, error: &toml::de::Error, text: &str) -> String {
    let shown = error.span().and_then(|span| text.get(span)).unwrap_or_default();
    if shown.is_empty()
        || shown.len() > 60
        || shown.contains('\n')
        || message.contains(shown.trim_matches('"'))
    {
        message.to_owned()
    } else {
        format!("`{shown}`: {message}")
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        name: String,
        #[serde(default)]
        inner: Vec<Inner>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        mode: Mode,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Sync,
        Async,
    }

    fn refusal(text: &str) -> String {
        read_toml::<Sample>("a.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn reads_what_is_right() {
        let sample = read_toml::<Sample>("a.toml", "name = \"x\"\n[[inner]]\nmode = \"async\"\n").unwrap();
        assert_eq!(sample, Sample { name: "x".into(), inner: vec![Inner { mode: Mode::Async }] });
    }

    #[test]
    fn names_the_line_and_the_nearest_key() {
        assert_eq!(
            refusal("name = \"x\"\n\nnmae = 3\n"),
            "a.toml:3: there is no key `nmae` (did you mean `name`?)"
        );
        assert_eq!(
            refusal("name = \"x\"\nzzz = 3\n"),
            "a.toml:2: there is no key `zzz` (here can stand `name`, `inner`)"
        );
        assert_eq!(
            refusal("name = \"x\"\n[[inner]]\nmode = \"sycn\"\n"),
            "a.toml:3: there is no choice `sycn` (did you mean `sync`?)"
        );
    }

    #[test]
    fn says_what_is_missing_or_mistyped() {
        assert_eq!(refusal("inner = []"), "a.toml: the key `name` is missing");
        assert_eq!(
            refusal("inner = []\nname = 17"),
            "a.toml:2: invalid type: integer `17`, expected a string"
        );
        assert_eq!(refusal("name = \"x\"\nname = \"y\"\n"), "a.toml:2: `name`: duplicate key");
        assert!(refusal(&"#".repeat(MAX_DOCUMENT_BYTES + 1)).contains("more than the limit"));
    }
}
