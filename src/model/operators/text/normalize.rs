//! StringNormalizer: leaves out stop words and changes the case.

use std::collections::HashSet;

use burn_backend::Backend;

use super::{
    super::super::{DType, Data, Tensor, plan::Kernel},
    Operator, Refusal, Spec,
    strings::strings,
    texts,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    (name == "StringNormalizer").then_some(Operator { types, kernel })
}

fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    texts(spec).map(|()| vec![DType::Str])
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Kept,
    Lower,
    Upper,
}

impl Case {
    fn of(self, text: &str) -> String {
        match self {
            Case::Kept => text.to_owned(),
            Case::Lower => text.to_lowercase(),
            Case::Upper => text.to_uppercase(),
        }
    }
}

/// Whether a locale changes cases as Unicode's default does: some languages have their own, and some locales know
/// ASCII alone.
fn changes_as_unicode(locale: &str) -> bool {
    let language = locale.split(['_', '-', '.']).next().unwrap_or_default();
    !matches!(locale, "C" | "POSIX") && !matches!(language, "az" | "lt" | "tr")
}

fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let case = match spec.text("case_change_action", "NONE")? {
        "NONE" => Case::Kept,
        "LOWER" => Case::Lower,
        "UPPER" => Case::Upper,
        other => return Err(Refusal::invalid(format!("case_change_action `{other}` does not exist"))),
    };
    let locale = spec.text("locale", "en_US")?;
    if !changes_as_unicode(locale) {
        return Err(Refusal::unsupported(format!("locale `{locale}`")));
    }
    // Stop words are compared in the case that the result has, or in lower case if it keeps its own.
    let compared = match (spec.flag("is_case_sensitive", false)?, case) {
        (true, _) => Case::Kept,
        (false, Case::Kept) => Case::Lower,
        (false, case) => case,
    };
    let listed = spec.texts("stopwords")?.unwrap_or_default();
    let stops: HashSet<String> = listed.iter().map(|word| compared.of(word)).collect();
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let lead = match *view.shape() {
            [_] => &[][..],
            [1, _] => &[1],
            ref other => return Err(format!("a tensor of shape {other:?} is neither [C] nor [1, C]")),
        };
        let texts = strings(view)?;
        let stays = |text: &&String| stops.is_empty() || !stops.contains(&compared.of(text));
        let mut kept: Vec<String> = texts.iter().filter(stays).map(|text| case.of(text)).collect();
        if kept.is_empty() && !texts.is_empty() {
            kept.push(String::new());
        }
        Ok(Tensor::new([lead, &[kept.len()]].concat(), Data::Str(kept)))
    }))
}
