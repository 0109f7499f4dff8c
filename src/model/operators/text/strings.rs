//! Strings joined, split, and held against a pattern.

use burn_backend::Backend;
use smallvec::smallvec;

use super::{
    super::super::{
        DType, Data, Tensor, TensorView,
        plan::{Kernel, Reason},
    },
    Operator, Refusal, Spec, broadcast, bytes, elements,
    pattern::Whole,
    texts, zip_by,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "StringConcat" => Operator { types: text_types, kernel: concat },
        "StringSplit" => Operator { types: split_types, kernel: split },
        "RegexFullMatch" => Operator { types: match_types, kernel: full_match },
        _ => return None,
    })
}

fn text_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    texts(spec).map(|()| vec![DType::Str])
}

fn split_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    texts(spec).map(|()| vec![DType::Str, DType::I64])
}

fn match_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    texts(spec).map(|()| vec![DType::Bool])
}

/// The strings of a view whose type was checked when the model was loaded.
pub(super) fn strings(view: TensorView<'_>) -> Result<&[String], Reason> {
    match view {
        TensorView::Str { data, .. } => Ok(data),
        other => Err(format!("it reads strings, not {}", other.dtype())),
    }
}

fn concat<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let (left, right) = (args.view(0)?, args.view(1)?);
        let shape = broadcast(left.shape(), right.shape())?;
        elements(&shape, limit)?;
        let (left, right) = ((left.shape(), strings(left)?), (right.shape(), strings(right)?));
        bytes(zip_by(left, right, &shape, |a, b| a.len() + b.len()).into_iter(), limit)?;
        let joined = zip_by(left, right, &shape, |a, b| [a.as_str(), b].concat());
        Ok(Tensor::new(shape.to_vec(), Data::Str(joined)))
    }))
}

/// Splits as Python's `str.split`: without a delimiter at runs of white space.
fn split<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let delimiter = spec.text("delimiter", "")?.to_owned();
    // A negative number sets no limit, in Python too.
    let most = usize::try_from(spec.int("maxsplit", -1)?).unwrap_or(usize::MAX);
    let limit = spec.limits().elements;
    Ok(Kernel::host_many(move |args| {
        let view = args.view(0)?;
        let parts: Vec<Vec<&str>> = strings(view)?
            .iter()
            .map(|text| if delimiter.is_empty() { words(text, most) } else { pieces(text, &delimiter, most) })
            .collect();
        let width = parts.iter().map(Vec::len).max().unwrap_or(0);
        let shape = [view.shape(), &[width]].concat();
        let mut all = Vec::with_capacity(elements(&shape, limit)?);
        for parts in &parts {
            all.extend(parts.iter().map(ToString::to_string));
            all.resize_with(all.len() + width - parts.len(), String::new);
        }
        let counts = parts.iter().map(|parts| parts.len() as i64).collect();
        Ok(smallvec![Tensor::new(shape, Data::Str(all)), Tensor::i64(view.shape(), counts)])
    }))
}

fn pieces<'t>(text: &'t str, delimiter: &str, most: usize) -> Vec<&'t str> {
    text.splitn(most.saturating_add(1), delimiter).collect()
}

/// The words of a text; after `most` of them the rest as it is, without the white space before it.
fn words(text: &str, most: usize) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() && words.len() < most {
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        words.push(word);
        rest = after.trim_start();
    }
    if !rest.is_empty() {
        words.push(rest);
    }
    words
}

fn full_match<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let pattern = Whole::new(spec.text("pattern", "")?).map_err(Refusal::Unsupported)?;
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let matches = strings(view)?.iter().map(|text| pattern.matches(text)).collect();
        Ok(Tensor::new(view.shape(), Data::Bool(matches)))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_python_splits_them() {
        assert_eq!(words("  a  b\tc ", usize::MAX), ["a", "b", "c"]);
        assert_eq!(words("  a  b  c ", 1), ["a", "b  c "]);
        assert_eq!(words(" a ", 0), ["a "]);
        assert_eq!(words(" ", usize::MAX), [""; 0]);
        assert_eq!(pieces("a,,b", ",", usize::MAX), ["a", "", "b"]);
        assert_eq!(pieces("a,b,c", ",", 1), ["a", "b,c"]);
        assert_eq!(pieces("", ",", usize::MAX), [""]);
    }
}
