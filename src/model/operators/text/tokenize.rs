//! Tokenizer: cuts texts into letters, at separators, or into what a pattern matches.
//!
//! It belongs to ONNX Runtime and is what scikit-learn's vectorizers become.

use burn_backend::Backend;

use super::{
    super::super::{DType, Data, Tensor, plan::Kernel},
    Operator, Refusal, Spec, bytes, elements,
    pattern::Longest,
    strings::strings,
    texts,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    (name == "Tokenizer").then_some(Operator { types, kernel })
}

fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    texts(spec).map(|()| vec![DType::Str])
}

enum Tokens {
    Letters,
    /// What lies between the matches of each pattern, one after the other.
    Between(Vec<Longest>),
    Matched(Longest),
}

fn tokens(spec: &Spec<'_>) -> Result<Tokens, Refusal> {
    let pattern = |re2: &str| Longest::new(re2).map_err(Refusal::Unsupported);
    match (spec.texts("separators")?.unwrap_or_default(), spec.text("tokenexp", "")?) {
        ([], "") => Err(Refusal::invalid("it has neither separators nor a pattern")),
        ([], re2) => Ok(Tokens::Matched(pattern(re2)?)),
        ([only], _) if only.is_empty() => Ok(Tokens::Letters),
        (separators, _) => {
            Ok(Tokens::Between(separators.iter().map(|re2| pattern(re2)).collect::<Result<_, _>>()?))
        }
    }
}

impl Tokens {
    /// The tokens of a text that have at least `least` letters.
    fn of<'t>(&self, text: &'t str, least: usize) -> Vec<&'t str> {
        match self {
            Tokens::Letters => {
                text.char_indices().map(|(at, letter)| &text[at..at + letter.len_utf8()]).collect()
            }
            Tokens::Matched(pattern) => matched(text, pattern, least),
            Tokens::Between(separators) => separators.iter().fold(vec![text], |parts, separator| {
                parts.into_iter().flat_map(|part| between(part, separator, least)).collect()
            }),
        }
    }
}

/// Where the letter at a place ends; beyond the text after the last one.
fn next(text: &str, at: usize) -> usize {
    at + text[at..].chars().next().map_or(1, char::len_utf8)
}

fn long_enough(token: &str, least: usize) -> bool {
    token.chars().nth(least.saturating_sub(1)).is_some()
}

/// After a match that is too short the search goes on one letter further.
fn matched<'t>(text: &'t str, pattern: &Longest, least: usize) -> Vec<&'t str> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at <= text.len()
        && let Some(span) = pattern.find(text, at)
    {
        let token = &text[span.start..span.end];
        at = if long_enough(token, least) {
            tokens.push(token);
            span.end
        } else {
            next(text, span.start)
        };
    }
    tokens
}

/// A separator that matches nothing takes a letter.
fn between<'t>(text: &'t str, separator: &Longest, least: usize) -> Vec<&'t str> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at <= text.len()
        && let Some(span) = separator.find(text, at)
    {
        tokens.push(&text[at..span.start]);
        at = if span.is_empty() { next(text, span.start) } else { span.end };
    }
    tokens.extend(text.get(at..));
    tokens.retain(|token| long_enough(token, least));
    tokens
}

/// What stands before and after the tokens of a text, if they are marked.
const MARKS: [&str; 2] = ["\u{2}", "\u{3}"];

fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let tokens = tokens(spec)?;
    let marked = spec.flag("mark", false)?;
    let pad = spec.text("pad_value", "")?.to_owned();
    let least = match usize::try_from(spec.int("mincharnum", 1)?) {
        Ok(least @ 1..) => least,
        _ => return Err(Refusal::invalid("a token has at least one letter")),
    };
    if matches!(tokens, Tokens::Letters) && least > 1 {
        return Err(Refusal::invalid(format!(
            "letters have not the {least} letters that a token is to have"
        )));
    }
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        if !matches!(view.shape().len(), 1 | 2) {
            return Err(format!("a tensor of shape {:?} is neither [C] nor [N, C]", view.shape()));
        }
        let mut rows: Vec<Vec<&str>> = strings(view)?.iter().map(|text| tokens.of(text, least)).collect();
        if marked && rows.iter().any(|row| !row.is_empty()) {
            for row in &mut rows {
                row.insert(0, MARKS[0]);
                row.push(MARKS[1]);
            }
        }
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        let shape = [view.shape(), &[width]].concat();
        let count = elements(&shape, limit)?;
        bytes(rows.iter().map(|row| (width - row.len()).saturating_mul(pad.len())), limit)?;
        let mut all = Vec::with_capacity(count);
        for row in rows {
            let pads = width - row.len();
            all.extend(row.into_iter().map(str::to_owned));
            all.extend(std::iter::repeat_n(&pad, pads).cloned());
        }
        Ok(Tensor::new(shape, Data::Str(all)))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(re2: &str) -> Tokens {
        Tokens::Matched(Longest::new(re2).unwrap())
    }

    fn separators(listed: &[&str]) -> Tokens {
        Tokens::Between(listed.iter().map(|re2| Longest::new(re2).unwrap()).collect())
    }

    /// What ONNX Runtime gives.
    #[test]
    fn tokens_are_what_matches_and_is_long_enough() {
        assert_eq!(pattern("[a-z]+").of("abc de f", 2), ["abc", "de"]);
        assert_eq!(pattern("ab|bcd").of("xabcd", 3), ["bcd"]);
        assert_eq!(pattern("b*").of("ab ab é", 1), ["b", "b"]);
        assert_eq!(pattern(".").of("é b", 1), ["é", " ", "b"]);
    }

    #[test]
    fn tokens_lie_between_separators() {
        assert_eq!(separators(&[" ", ","]).of("a b,c  d", 1), ["a", "b", "c", "d"]);
        assert_eq!(separators(&[r"\bf"]).of("xx foo bar", 1), ["xx ", "oo bar"]);
        assert_eq!(separators(&["."]).of("a.b", 1), [""; 0]);
        assert_eq!(separators(&["x*"]).of("aébc", 1), [""; 0]);
        assert_eq!(Tokens::Letters.of("abé", 1), ["a", "b", "é"]);
    }
}
