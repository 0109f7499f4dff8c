//! Rows in files: CSV and JSONL, read line by line and packed by a map's schema.

mod bounded;
mod csv;
mod jsonl;

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use clap::ValueEnum;

use crate::{
    row::Schema,
    types::{Error, Key, KeyKind, Result},
};
pub(super) use bounded::Bounded;

/// How rows stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Comma-separated, with a header.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

impl Format {
    /// What the file's name says.
    pub(super) fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => Ok(Format::Csv),
            Some("jsonl" | "ndjson") => Ok(Format::Jsonl),
            _ => Err(Error::invalid(format!("{}: its name does not say its format", path.display()))
                .hint("add `--format csv` or `--format jsonl`")),
        }
    }
}

/// What the columns of a file mean.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// The map's present schema.
    pub(super) schema: Arc<Schema>,
    /// The column of the file that is the key.
    pub(super) key: String,
    /// What keys of the map are; text unless told.
    pub(super) key_kind: Option<KeyKind>,
    /// Columns of the file that the map does not have.
    pub(super) ignored: Vec<String>,
}

/// One row of a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// Counted from 1, the header included.
    pub(super) number: u64,
    pub(super) key: Key,
    /// Packed by the schema.
    pub(super) row: Vec<u8>,
}

/// What one line came to. The error names the line and the column.
pub(super) type Parsed = Result<Line>;

/// The lines of `source`. Fails if the header does not fit the map.
pub(super) fn read<R: Read + Send + 'static>(
    source: R,
    format: Format,
    shape: &Shape,
) -> Result<Box<dyn Iterator<Item = Parsed> + Send>> {
    Ok(match format {
        Format::Csv => Box::new(csv::Lines::new(source, shape)?),
        Format::Jsonl => Box::new(jsonl::Lines::new(source, shape)),
    })
}

/// The lines of a file.
pub(super) fn read_path(
    path: &Path,
    format: Format,
    shape: &Shape,
) -> Result<Box<dyn Iterator<Item = Parsed> + Send>> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    read(file, format, shape).map_err(|error| error.within(path.display()))
}

/// Why a file that the user named cannot be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Error {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => {
            Error::not_found(format!("{shown}: no such file")).hint("paths start from the current folder")
        }
        _ => Error::invalid(format!("{shown}: cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests;
