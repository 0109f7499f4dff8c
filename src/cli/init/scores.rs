//! Which elements of the model's outputs become score columns.

use super::table::Table;
use crate::{
    catalog::{OutputKind, OutputSignature},
    row::Kind,
    types::{Error, Result},
};

/// The most elements of one output that become columns.
const MOST: usize = 64;

/// Which elements of the model's outputs become score columns.
#[derive(Debug)]
pub(super) struct Scores {
    pub(super) columns: Vec<Score>,
    /// Outputs with named elements, for the manifest.
    pub(super) labelled: Vec<(String, Vec<String>)>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Score {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// As a binding names it.
    pub(super) element: String,
    /// Whether it is stored, or only offered in a comment.
    pub(super) stored: bool,
}

impl Scores {
    /// Stores the numbers that the model gives (of two classes the second), or labels where it gives nothing else.
    pub(super) fn choose(table: &Table, outputs: &[OutputSignature]) -> Result<Scores> {
        let mut scores = Scores { columns: Vec::new(), labelled: Vec::new() };
        let few: Vec<_> =
            outputs.iter().filter(|output| (1..=MOST).contains(&output.elements.len())).collect();
        let is_number = |output: &OutputSignature| matches!(output.kind, OutputKind::F32 | OutputKind::F64);
        let has_numbers = few.iter().any(|output| is_number(output));
        let has_label = outputs.iter().any(|output| !is_number(output) && output.elements.len() == 1);
        for output in few {
            let stored = is_number(output) || !has_numbers;
            scores.add(table, output, stored, has_label || !is_numbered(&output.elements));
        }
        if !scores.columns.is_empty() {
            return Ok(scores);
        }
        let shown = outputs.iter().map(|output| format!("`{}` gives {}", output.name, output.elements.len()));
        Err(Error::invalid(format!(
            "no output of the model can be a score: for one row {}",
            shown.collect::<Vec<_>>().join(", ")
        ))
        .hint(format!("a score is one number or label; outputs of more than {MOST} are passed over")))
    }

    fn add(&mut self, table: &Table, output: &OutputSignature, stored: bool, are_classes: bool) {
        let (of, elements) = (&output.name, &output.elements);
        for (at, label) in elements.iter().enumerate() {
            let (element, name) = match label.starts_with(char::is_alphabetic) {
                _ if elements.len() == 1 => (of.clone(), single_name(of).to_owned()),
                true => (format!("{of}.{label}"), label.clone()),
                false if *label == at.to_string() => (format!("{of}[{at}]"), format!("{of}_{at}")),
                false => (format!("{of}.{label}"), format!("{of}_{label}")),
            };
            let name = self.free_name(table, &name);
            // Of two classes the second says it all.
            let stored = stored && (!are_classes || elements.len() != 2 || at == 1);
            self.columns.push(Score { name, kind: column_kind(output.kind), element, stored });
        }
        if elements.len() > 1 && !is_numbered(elements) {
            self.labelled.push((of.clone(), elements.clone()));
        }
    }

    /// A plain name that no column has.
    fn free_name(&self, table: &Table, wanted: &str) -> String {
        let plain: String =
            wanted.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).take(48).collect();
        let plain = plain.trim_matches('_');
        let mut name = if plain.is_empty() { "score".to_owned() } else { plain.to_owned() };
        let taken = |name: &str| {
            table.key.name() == name
                || name == "this"
                || table.columns.iter().any(|column| column.name == name)
                || self.columns.iter().any(|score| score.name == name)
        };
        while taken(&name) {
            name = format!("score_{name}");
        }
        name
    }
}

/// Whether the elements have no names but their places.
fn is_numbered(elements: &[String]) -> bool {
    elements.iter().enumerate().all(|(at, label)| *label == at.to_string())
}

/// The output's name, unless it is one that exporters give to all of them.
fn single_name(output: &str) -> &str {
    match output.to_lowercase().as_str() {
        "variable" | "output" | "output_0" | "y" => "prediction",
        _ => output,
    }
}

fn column_kind(kind: OutputKind) -> Kind {
    match kind {
        OutputKind::F32 => Kind::F32,
        OutputKind::F64 => Kind::F64,
        OutputKind::I64 => Kind::I64,
        OutputKind::I32 => Kind::I32,
        OutputKind::Bool => Kind::Bool,
        OutputKind::Str => Kind::Str,
    }
}
