//! What a CSV file of rows holds.

use std::{collections::HashSet, fs::File, path::Path};

use csv::{ReaderBuilder, StringRecord};

use crate::{
    cli::rows::{Bounded, unreadable},
    row::{Column, Kind, Schema},
    types::{Error, KeyKind, Result, SchemaId, Timestamp, nearest},
};

/// A CSV file, read whole once.
#[derive(Debug)]
pub(super) struct Table {
    /// Its columns in order, without the key and what cannot be a column.
    pub(super) columns: Vec<Seen>,
    pub(super) key: Key,
    /// Columns of the file whose names no schema takes.
    pub(super) ignored: Vec<String>,
    pub(super) rows: u64,
}

/// The key of the rows.
#[derive(Debug, PartialEq)]
pub(super) enum Key {
    /// A column of the file.
    Column { name: String, kind: KeyKind },
    /// No column is one: rows are numbered in a copy of the file.
    Made,
}

/// What was seen in one column.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) name: String,
    bools: bool,
    ints: bool,
    floats: bool,
    timestamps: bool,
    pub(super) empty: u64,
    filled: u64,
    min: f64,
    max: f64,
    /// The first value that is a number.
    pub(super) example: Option<f64>,
    /// Hashes of all values, as long as they differ; only where the column may be the key.
    distinct: Option<HashSet<u64>>,
}

impl Key {
    pub(super) fn name(&self) -> &str {
        match self {
            Key::Column { name, .. } => name,
            Key::Made => "id",
        }
    }

    pub(super) fn kind(&self) -> KeyKind {
        match self {
            Key::Column { kind, .. } => *kind,
            Key::Made => KeyKind::I64,
        }
    }

    pub(super) fn is_made_up(&self) -> bool {
        *self == Key::Made
    }
}

impl Table {
    /// Reads the file. The key is `key` if given, else the column whose name says so.
    pub(super) fn read(path: &Path, map: &str, key: Option<&str>) -> Result<Table> {
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        Table::parse(file, map, key).map_err(|error| error.within(path.display()))
    }

    pub(super) fn parse(source: impl std::io::Read, map: &str, key: Option<&str>) -> Result<Table> {
        let mut reader = ReaderBuilder::new().from_reader(Bounded::new(source));
        let broken = |error: csv::Error| Error::invalid(error.to_string());
        let header = reader.headers().map_err(broken)?.clone();
        if let Some(key) = key
            && header.iter().all(|name| name.trim() != key)
        {
            let error = Error::invalid(format!("the header has no column `{key}`"));
            return Err(match nearest(key, header.iter()) {
                Some(near) => error.hint(format!("did you mean `--key {near}`?")),
                None => error,
            });
        }
        let mut columns: Vec<Seen> = header.iter().map(|name| Seen::new(name, map)).collect();
        let (mut record, mut rows) = (StringRecord::new(), 0);
        while reader.read_record(&mut record).map_err(broken)? {
            reader.get_mut().renew();
            rows += 1;
            columns.iter_mut().zip(&record).for_each(|(column, cell)| column.see(cell.trim()));
        }
        if rows == 0 {
            return Err(Error::invalid("there are no rows under the header"));
        }
        let key = match key {
            Some(name) => chosen(&columns, name)?,
            None => guessed(&columns, map),
        };
        let (columns, ignored) = usable(columns, key.name(), key.is_made_up());
        Ok(Table { columns, key, ignored, rows })
    }

    /// The columns that a model can take as they are.
    pub(super) fn numeric(&self) -> impl Iterator<Item = &Seen> {
        self.columns.iter().filter(|column| matches!(column.kind(), Kind::Bool | Kind::I64 | Kind::F64))
    }
}

fn chosen(columns: &[Seen], name: &str) -> Result<Key> {
    match columns.iter().find(|column| column.name == name) {
        Some(column) if column.empty > 0 => {
            Err(Error::invalid(format!("the column `{name}` has empty cells: it cannot be the key")))
        }
        Some(column) => Ok(Key::Column { name: name.to_owned(), kind: column.key_kind() }),
        None => Ok(Key::Made),
    }
}

/// The first by likelihood of the columns that tell all rows apart.
fn guessed(columns: &[Seen], map: &str) -> Key {
    let able = columns.iter().filter(|column| column.empty == 0 && column.distinct.is_some());
    let likely =
        able.filter(|column| column.kind() != Kind::F64).min_by_key(|column| rank(&column.name, map));
    match likely {
        Some(column) => Key::Column { name: column.name.clone(), kind: column.key_kind() },
        None => Key::Made,
    }
}

/// How likely a column of this name is the key, 0 first.
fn rank(name: &str, map: &str) -> Option<usize> {
    let (name, map) = (name.to_lowercase(), map.to_lowercase());
    let singular = map.strip_suffix('s').unwrap_or(&map);
    match name.as_str() {
        "id" => Some(0),
        "key" => Some(1),
        "uuid" | "guid" | "index" | "row_id" => Some(2),
        _ => match name.strip_suffix("id").map(|stem| stem.trim_end_matches(['_', ' ', '-', '.'])) {
            Some(stem) if stem == map || stem == singular => Some(3),
            Some(stem) if stem.len() < name.len() - 2 => Some(4),
            _ => None,
        },
    }
}

/// Sets aside the key and the columns whose names no schema takes.
fn usable(columns: Vec<Seen>, key: &str, key_is_made_up: bool) -> (Vec<Seen>, Vec<String>) {
    let (mut taken, mut ignored): (Vec<Seen>, Vec<String>) = (Vec::new(), Vec::new());
    for column in columns {
        let fits = Schema::new(SchemaId(0), vec![Column::new(column.name.clone(), Kind::F64)]).is_ok();
        let twice = taken.iter().any(|other| other.name == column.name);
        match column.name == key {
            true if !key_is_made_up => {}
            false if fits && !twice => taken.push(column),
            _ => ignored.push(column.name),
        }
    }
    (taken, ignored)
}

impl Seen {
    fn new(name: &str, map: &str) -> Self {
        let name = name.trim();
        Seen {
            name: name.to_owned(),
            bools: true,
            ints: true,
            floats: true,
            timestamps: true,
            empty: 0,
            filled: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            example: None,
            distinct: rank(name, map).map(|_| HashSet::new()),
        }
    }

    fn see(&mut self, cell: &str) {
        if cell.is_empty() {
            self.empty += 1;
            return;
        }
        self.filled += 1;
        if let Some(seen) = &mut self.distinct
            && !seen.insert(xxhash_rust::xxh3::xxh3_64(cell.as_bytes()))
        {
            self.distinct = None;
        }
        let bool = cell.eq_ignore_ascii_case("true") || cell.eq_ignore_ascii_case("false");
        self.bools &= bool;
        self.ints = self.ints && cell.parse::<i64>().is_ok();
        let number = if self.floats { cell.parse::<f64>().ok() } else { None };
        self.floats &= number.is_some();
        self.timestamps = self.timestamps && Timestamp::from_rfc3339(cell).is_some();
        if let Some(number) = number.or_else(|| bool.then(|| f64::from(u8::from(cell.len() == 4)))) {
            self.example.get_or_insert(number);
            self.min = self.min.min(number);
            self.max = self.max.max(number);
        }
    }

    /// What the column holds, as far as the rows tell.
    pub(super) fn kind(&self) -> Kind {
        match self.filled {
            0 => Kind::Str,
            _ if self.bools => Kind::Bool,
            _ if self.ints => Kind::I64,
            _ if self.floats => Kind::F64,
            _ if self.timestamps => Kind::Timestamp,
            _ => Kind::Str,
        }
    }

    fn key_kind(&self) -> KeyKind {
        if self.ints { KeyKind::I64 } else { KeyKind::Str }
    }

    /// What the rows held, for a comment.
    pub(super) fn summary(&self) -> String {
        let range = match self.kind() {
            Kind::I64 | Kind::F64 if self.min == self.max => Some(format!("always {}", self.min)),
            Kind::I64 | Kind::F64 if self.min < self.max => Some(format!("{} to {}", self.min, self.max)),
            _ => None,
        };
        let empty = (self.empty > 0).then(|| format!("{} empty", self.empty));
        [range, empty].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}
