//! Comma-separated rows under a header.

use std::{io::Read, sync::Arc};

use csv::{ErrorKind, ReaderBuilder, StringRecord};

use super::{Line, Parsed, Shape, bounded::Bounded};
use crate::{
    row::{
        Builder, Kind, Schema,
        text::{set_elements, set_text},
    },
    types::{Error, Key, KeyKind, Result, nearest},
};

/// The rows of a CSV file.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: csv::Reader<Bounded<R>>,
    record: StringRecord,
    schema: Arc<Schema>,
    plan: Plan,
    /// What to add to the reader's line numbers: it counts a line at its LF, and hands records out at their CR.
    uncounted: u64,
    ended: bool,
}

/// Which cells of a line become what.
#[derive(Debug, PartialEq)]
struct Plan {
    key: usize,
    key_name: String,
    key_kind: Option<KeyKind>,
    /// (cell, column)
    cells: Vec<(usize, usize)>,
    /// (cells of the elements in order, column)
    vectors: Vec<(Vec<usize>, usize)>,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(source: R, shape: &Shape) -> Result<Self> {
        let mut reader = ReaderBuilder::new().from_reader(Bounded::new(source));
        let header = reader.headers().map_err(|error| broken(&error, 1, 0))?.clone();
        let plan = Plan::new(&header, shape)?;
        let uncounted = u64::from(reader.position().line() == 1);
        let schema = Arc::clone(&shape.schema);
        Ok(Lines { reader, record: StringRecord::new(), schema, plan, uncounted, ended: false })
    }

    fn line(&self) -> Result<Line> {
        let number = self.record.position().map_or(0, csv::Position::line) + self.uncounted;
        let cell = |at: usize| self.record.get(at).unwrap_or_default();
        let pack = || {
            let key = Key::parse(cell(self.plan.key), self.plan.key_kind, None)
                .map_err(|error| error.within(format_args!("column `{}`", self.plan.key_name)))?;
            let mut builder = Builder::new(&self.schema);
            for (from, to) in &self.plan.cells {
                set_text(&mut builder, *to, cell(*from))?;
            }
            for (from, to) in &self.plan.vectors {
                set_elements(&mut builder, *to, from.iter().map(|at| cell(*at)))?;
            }
            Ok(Line { number, key, row: builder.finish()? })
        };
        pack().map_err(|error: Error| error.within(format_args!("line {number}")))
    }
}

impl<R: Read> Iterator for Lines<R> {
    type Item = Parsed;

    fn next(&mut self) -> Option<Parsed> {
        if self.ended {
            return None;
        }
        self.reader.get_mut().renew();
        match self.reader.read_record(&mut self.record) {
            Ok(true) => Some(self.line()),
            Ok(false) => None,
            Err(error) => {
                self.ended = matches!(error.kind(), ErrorKind::Io(_));
                Some(Err(broken(&error, self.reader.position().line(), self.uncounted)))
            }
        }
    }
}

impl Plan {
    fn new(header: &StringRecord, shape: &Shape) -> Result<Self> {
        let key = header.iter().position(|name| name.trim() == shape.key).ok_or_else(|| {
            let error = Error::invalid(format!("the header has no column `{}` for the key", shape.key));
            match nearest(&shape.key, header.iter()) {
                Some(near) => error.hint(format!("did you mean `--key {near}`?")),
                None => {
                    error.hint(format!("its columns are {}", header.iter().collect::<Vec<_>>().join(", ")))
                }
            }
        })?;
        let mut plan = Plan {
            key,
            key_name: shape.key.clone(),
            key_kind: shape.key_kind,
            cells: Vec::new(),
            vectors: Vec::new(),
        };
        for (at, name) in header.iter().map(str::trim).enumerate() {
            if !shape.ignored.iter().any(|ignored| ignored == name) {
                plan.add(at, name, shape)?;
            }
        }
        plan.vectors.iter().try_for_each(|(cells, column)| complete(cells, *column, &shape.schema))?;
        plan.nothing_missing(&shape.schema)?;
        Ok(plan)
    }

    /// Finds out what the column `name` of the file means.
    fn add(&mut self, at: usize, name: &str, shape: &Shape) -> Result<()> {
        let schema = &shape.schema;
        if let Some(column) = schema.column(name) {
            return match &schema.columns()[column] {
                described if described.is_score => {
                    Err(Error::invalid(format!("the column `{name}` is a score: only the grid writes it"))
                        .hint(format!("leave it out with `--ignore-columns {name}`")))
                }
                _ if self.cells.iter().any(|(_, other)| *other == column) => {
                    Err(Error::invalid(format!("the header has two columns `{name}`")))
                }
                _ => {
                    self.cells.push((at, column));
                    Ok(())
                }
            };
        }
        if at == self.key {
            return Ok(());
        }
        match element(name, schema) {
            Some((column, index)) => self.add_element(at, column, index, name),
            None => Err(unknown(name, schema)),
        }
    }

    fn add_element(&mut self, at: usize, column: usize, index: usize, name: &str) -> Result<()> {
        let found = self.vectors.iter().position(|(_, other)| *other == column).unwrap_or_else(|| {
            self.vectors.push((Vec::new(), column));
            self.vectors.len() - 1
        });
        let (cells, _) = &mut self.vectors[found];
        if cells.len() != index {
            return Err(Error::invalid(format!("the column `{name}` is out of order"))
                .hint("the elements of a vector stand in order, from _0"));
        }
        cells.push(at);
        Ok(())
    }

    /// A column without which no line can be stored is told now, not once a line.
    fn nothing_missing(&self, schema: &Schema) -> Result<()> {
        let given = |column: usize| {
            self.cells.iter().any(|(_, to)| *to == column) || self.vectors.iter().any(|(_, to)| *to == column)
        };
        let mut missing = schema.columns().iter().enumerate().filter(|(at, c)| !c.nullable && !given(*at));
        match missing.next() {
            None => Ok(()),
            Some((_, column)) => Err(Error::invalid(format!("the header has no column `{}`", column.name))
                .hint("the map's schema requires it; `nullable = true` would make it optional")),
        }
    }
}

/// The vector column and the element that `name_0` means.
fn element(name: &str, schema: &Schema) -> Option<(usize, usize)> {
    let (base, index) = name.rsplit_once('_')?;
    let column = schema.column(base)?;
    let index = index.parse().ok()?;
    matches!(schema.columns()[column].kind, Kind::Vector(_)).then_some((column, index))
}

fn complete(cells: &[usize], column: usize, schema: &Schema) -> Result<()> {
    let column = &schema.columns()[column];
    match column.kind {
        Kind::Vector(elements) if elements as usize != cells.len() => Err(Error::invalid(format!(
            "the header has {} elements of the column `{}`, which is {}",
            cells.len(),
            column.name,
            column.kind
        ))),
        _ => Ok(()),
    }
}

fn unknown(name: &str, schema: &Schema) -> Error {
    let error = Error::invalid(format!("the map has no column `{name}`"));
    let leave = format!("leave it out with `--ignore-columns {name}`");
    match nearest(name, schema.columns().iter().map(|column| column.name.as_str())) {
        Some(near) => error.hint(format!("did you mean `{near}`? Or {leave}")),
        None => error.hint(leave),
    }
}

/// `line` where the reader stood, for errors that do not say where they are.
fn broken(error: &csv::Error, line: u64, uncounted: u64) -> Error {
    let line = error.position().map_or(line, csv::Position::line) + uncounted;
    match error.kind() {
        ErrorKind::Io(error) => Error::invalid(format!("line {line}: {error}")),
        ErrorKind::Utf8 { err, .. } => {
            Error::invalid(format!("line {line}: cell {} is not UTF-8", err.field() + 1))
        }
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Error::invalid(format!("line {line} has {len} cells, the header {expected_len}"))
                .hint("is a comma not quoted, or a quote left open?")
        }
        _ => Error::invalid(format!("line {line}: {error}")),
    }
}
