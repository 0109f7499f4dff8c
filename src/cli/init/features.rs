//! Which columns feed which inputs of the model.

use super::table::{Seen, Table};
use crate::{
    catalog::{InputFile, Manifest, NullPolicy, NumberKind},
    model::{DType, Dim, Format, Port},
    scoring::kind_of,
    types::{Error, Result},
};

/// Which columns feed which inputs of the model.
#[derive(Debug)]
pub(super) struct Features {
    pub(super) inputs: Vec<Input>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Input {
    /// The graph's name.
    pub(super) name: String,
    pub(super) kind: NumberKind,
    /// Columns in tensor order.
    pub(super) columns: Vec<String>,
    pub(super) found: Found,
    /// Whether a cell of these columns was empty.
    has_nulls: bool,
}

/// How the columns of an input were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The input is named like the column.
    ByName,
    /// The file has as many numbers as the model takes.
    ByOrder,
    /// The file has more numbers than the model takes: these came first, or are not named like a target.
    First,
}

/// Names that people give to what a model predicts.
const TARGETS: [&str; 14] = [
    "target",
    "label",
    "y",
    "class",
    "outcome",
    "diagnosis",
    "response",
    "is_fraud",
    "fraud",
    "churn",
    "churned",
    "default",
    "price",
    "survived",
];

impl Features {
    /// Matches columns to inputs, by name where the names agree, then by order.
    pub(super) fn find(table: &Table, ports: &[Port]) -> Result<Features> {
        let mut free: Vec<&Seen> = table.numeric().collect();
        let kinds = ports.iter().map(number_kind).collect::<Result<Vec<NumberKind>>>()?;
        let mut named = Vec::with_capacity(ports.len());
        for port in ports {
            let found =
                free.iter().position(|column| alike(&column.name, &port.name) && width(port) == Some(1));
            named.push(found.map(|at| free.remove(at)));
        }
        let wanted: Option<usize> =
            ports.iter().zip(&named).filter(|(_, found)| found.is_none()).map(|(port, _)| width(port)).sum();
        let (free, found) = in_order(free, wanted, table)?;
        let mut rest = free.into_iter();
        let inputs = ports
            .iter()
            .zip(kinds)
            .zip(named)
            .map(|((port, kind), named)| match named {
                Some(column) => Input::new(port, kind, &[column], Found::ByName),
                None => {
                    let taken: Vec<&Seen> = rest.by_ref().take(width(port).unwrap_or(usize::MAX)).collect();
                    Input::new(port, kind, &taken, found)
                }
            })
            .collect();
        Ok(Features { inputs })
    }

    /// Whether columns were matched by order alone.
    pub(super) fn are_guessed(&self) -> bool {
        self.inputs.iter().any(|input| input.found != Found::ByName)
    }

    /// The manifest that says so, without what the outputs are called.
    pub(super) fn manifest(&self, name: &str, format: Format) -> Manifest {
        let inputs = self.inputs.iter().map(|input| InputFile {
            name: input.name.clone(),
            kind: input.kind,
            features: input.columns.clone(),
            null: input.null(),
        });
        Manifest {
            format: 1,
            name: name.to_owned(),
            version: 1,
            file: format.files()[0].to_owned(),
            kind: kind_of(format),
            inputs: inputs.collect(),
            outputs: Vec::new(),
            golden: None,
            training: None,
        }
    }
}

/// The first `wanted` of the columns, preferably without what looks like a target.
fn in_order<'t>(free: Vec<&'t Seen>, wanted: Option<usize>, table: &Table) -> Result<(Vec<&'t Seen>, Found)> {
    let is_target = |column: &&Seen| TARGETS.iter().any(|target| alike(&column.name, target));
    let wanted = wanted.unwrap_or_else(|| free.iter().filter(|column| !is_target(column)).count());
    if free.len() < wanted {
        let shown = if table.key.is_made_up() {
            String::new()
        } else {
            format!(" beside the key `{}`", table.key.name())
        };
        return Err(Error::invalid(format!(
            "the model takes {wanted} numbers a row, the file has {} columns of numbers{shown}",
            free.len()
        ))
        .hint("the file needs a column for each feature; `--key` names another key"));
    }
    if free.len() == wanted {
        return Ok((free, Found::ByOrder));
    }
    let likely: Vec<&Seen> = free.iter().copied().filter(|column| !is_target(column)).collect();
    let chosen = if likely.len() < wanted { free } else { likely };
    Ok((chosen.into_iter().take(wanted).collect(), Found::First))
}

/// Numbers a row, if the shape says so.
fn width(port: &Port) -> Option<usize> {
    port.shape.iter().skip(1).try_fold(1, |product: usize, dim| match dim {
        Dim::Fixed(size) => product.checked_mul(*size),
        Dim::Named(_) | Dim::Unknown => None,
    })
}

fn alike(a: &str, b: &str) -> bool {
    let plain = |name: &str| -> String {
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    plain(a) == plain(b)
}

impl Input {
    fn new(port: &Port, kind: NumberKind, columns: &[&Seen], found: Found) -> Self {
        Input {
            name: port.name.clone(),
            kind,
            columns: columns.iter().map(|column| column.name.clone()).collect(),
            found,
            has_nulls: columns.iter().any(|column| column.empty > 0),
        }
    }

    /// Null becomes NaN where the rows have nulls and the input knows NaN.
    pub(super) fn null(&self) -> NullPolicy {
        match self.kind {
            NumberKind::F32 | NumberKind::F64 if self.has_nulls => NullPolicy::Nan,
            _ => NullPolicy::Reject,
        }
    }
}

fn number_kind(port: &Port) -> Result<NumberKind> {
    Ok(match port.dtype {
        DType::F32 => NumberKind::F32,
        DType::F64 => NumberKind::F64,
        DType::I64 => NumberKind::I64,
        DType::I32 => NumberKind::I32,
        DType::Bool => NumberKind::Bool,
        other => {
            return Err(Error::invalid(format!("the input `{}` takes {other}", port.name))
                .hint("features are numbers: leave the encoding of text out of the exported model"));
        }
    })
}
