//! The files that `init` writes.

use std::{
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::{
    features::{Features, Found, Input},
    scores::{Score, Scores},
    table::Table,
};
use crate::{
    catalog::NullPolicy,
    model::Format,
    scoring::kind_of,
    types::{Error, KeyKind, Result},
};

/// The copy of the rows that is written where no column is a key.
pub(super) const ROWS: &str = "rows.csv";

/// Everything that the files say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sketch<'a> {
    pub(super) map: &'a str,
    pub(super) model: &'a str,
    pub(super) model_bytes: &'a [u8],
    pub(super) format: Format,
    pub(super) rows: &'a Path,
    pub(super) table: &'a Table,
    pub(super) features: &'a Features,
    pub(super) scores: &'a Scores,
}

impl Sketch<'_> {
    pub(super) fn schema_path(&self) -> PathBuf {
        format!("{}.schema.toml", self.map).into()
    }

    pub(super) fn binding_path(&self) -> PathBuf {
        format!("{}.binding.toml", self.map).into()
    }

    pub(super) fn version_path(&self) -> PathBuf {
        Path::new(self.model).join("1")
    }

    pub(super) fn schema(&self) -> String {
        let table = self.table;
        let mut text = format!(
            "# The map `{}`, after {} rows of {}. A schema can later gain nullable columns, nothing else.\n\
             format = 1\nmap = {}\nkind = \"feature\"\n",
            self.map,
            table.rows,
            self.rows.display(),
            literal(self.map)
        );
        if table.key.is_made_up() {
            let _ = writeln!(
                text,
                "# No column of the file tells its rows apart: {ROWS} is a copy that numbers them."
            );
        }
        let kind = if table.key.kind() == KeyKind::I64 { "i64" } else { "str" };
        let _ = writeln!(text, "key = {{ name = {}, type = \"{kind}\" }}", literal(table.key.name()));
        text.push_str("# `nullable = true` lets a cell be empty; `min = 0.0` and `max = 1.0` would bound a number.\ncolumns = [\n");
        let features: Vec<&String> = self.features.inputs.iter().flat_map(|input| &input.columns).collect();
        for column in &table.columns {
            let optional = column.empty > 0 || !features.contains(&&column.name);
            let nullable = if optional { ", nullable = true" } else { "" };
            let summary = column.summary();
            let comment = if summary.is_empty() { summary } else { format!(" # {summary}") };
            let _ = writeln!(
                text,
                "  {{ name = {}, type = \"{}\"{nullable} }},{comment}",
                literal(&column.name),
                column.kind()
            );
        }
        text.push_str("]\n# Null until scored; clients cannot write them.\nscores = [\n");
        for score in &self.scores.columns {
            let off = if score.stored { "" } else { "# " };
            let _ =
                writeln!(text, "  {off}{{ name = {}, type = \"{}\" }},", literal(&score.name), score.kind);
        }
        text.push_str("]\n");
        text
    }

    pub(super) fn manifest(&self) -> String {
        let mut text = format!(
            "# How the model is fed and what its outputs are called.\n\
             format = 1\nname = {}\nversion = 1 # equals the folder; never reused\nfile = \"{}\"\nkind = \"{}\"\n",
            literal(self.model),
            self.format.file(self.model_bytes),
            kind_of(self.format),
        );
        for input in &self.features.inputs {
            manifest_input(&mut text, input);
        }
        for (name, labels) in &self.scores.labelled {
            let labels: Vec<String> = labels.iter().map(|label| literal(label)).collect();
            let _ = write!(
                text,
                "\n[[outputs]]\nname = {}\nlabels = [{}] # in class order\n",
                literal(name),
                labels.join(", ")
            );
        }
        text.push_str(
            "\n# Samples that every node checks before a version goes live, in the ONNX test layout:\n\
             # [golden]\n# dirs = [\"test_data_set_0\"]\n",
        );
        text
    }

    pub(super) fn binding(&self) -> String {
        let nan = if self.features.inputs.iter().any(|input| input.null() == NullPolicy::Nan) {
            "pass"
        } else {
            "reject"
        };
        let mut text = format!(
            "# Every row written to `{map}` is scored before the write is acknowledged.\n\
             format = 1\nname = {name}\nmap = {map_literal}\nmodel = {model} # follows the alias\nmode = \"sync\"\n\
             deadline_ms = 50\non_deadline = \"reject\" # or \"store_unscored\"\nnan = \"{nan}\"\n\n\
             # A feature that is not listed is the column of the same name. Any SQL expression may stand for one:\n\
             [features]\n",
            map = self.map,
            name = literal(self.map),
            map_literal = literal(self.map),
            model = literal(&format!("{}@champion", self.model)),
        );
        if let Some(feature) = self.features.inputs.iter().flat_map(|input| &input.columns).next() {
            let identifier = if is_plain(feature) {
                feature.clone()
            } else {
                format!("\"{}\"", feature.replace('"', "\"\""))
            };
            let _ = writeln!(
                text,
                "# {} = {}",
                literal(feature),
                literal(&format!("COALESCE({identifier}, 0.0)"))
            );
        }
        text.push_str("\n[outputs] # score column = output element\n");
        for Score { name, element, stored, .. } in &self.scores.columns {
            let off = if *stored { "" } else { "# " };
            let _ = writeln!(text, "{off}{} = {}", key(name), literal(element));
        }
        text
    }
}

fn manifest_input(text: &mut String, input: &Input) {
    text.push('\n');
    match input.found {
        Found::ByName => {}
        Found::ByOrder => text.push_str(
            "# GUESSED: the model does not name its features, so these are the file's numbers in order.\n\
             # Check that this is the order the model was trained with.\n",
        ),
        Found::First => text.push_str(
            "# GUESSED: the model does not name its features and takes fewer numbers than the file has.\n\
             # These came first. Check that they are the ones the model was trained with, in this order.\n",
        ),
    }
    let _ = write!(
        text,
        "[[inputs]]\nname = {}\ntype = \"{}\"\nfeatures = [ # in tensor order\n",
        literal(&input.name),
        input.kind
    );
    for column in &input.columns {
        let _ = writeln!(text, "  {},", literal(column));
    }
    text.push_str("]\n");
    if input.null() == NullPolicy::Nan {
        text.push_str("null = \"nan\" # the file has empty cells; \"reject\" would refuse such rows\n");
    } else {
        text.push_str("null = \"reject\" # or \"nan\", where the model knows missing values\n");
    }
}

/// A TOML string.
fn literal(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A TOML key, bare where it can be.
fn key(name: &str) -> String {
    if is_plain(name) { name.to_owned() } else { literal(name) }
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Writes all files, or none if one of them is there already.
pub(super) fn write(sketch: &Sketch<'_>, out: &Path) -> Result<Vec<PathBuf>> {
    let version = sketch.version_path();
    let mut contents: Vec<(PathBuf, Vec<u8>)> = vec![
        (sketch.schema_path(), sketch.schema().into()),
        (version.join(sketch.format.file(sketch.model_bytes)), sketch.model_bytes.to_vec()),
        (version.join("manifest.toml"), sketch.manifest().into()),
        (sketch.binding_path(), sketch.binding().into()),
    ];
    contents.iter_mut().for_each(|(path, _)| *path = out.join(&path));
    let rows = sketch.table.key.is_made_up().then(|| out.join(ROWS));
    let all = contents.iter().map(|(path, _)| path).chain(&rows);
    if let Some(there) = all.into_iter().find(|path| path.exists()) {
        return Err(Error::conflict(format!("{} is there already", there.display()))
            .hint("choose another folder with --out, or move it away"));
    }
    for (path, bytes) in &contents {
        create(path).and_then(|mut file| file.write_all(bytes)).map_err(|error| unwritten(path, &error))?;
    }
    if let Some(path) = &rows {
        number_rows(sketch.rows, path).map_err(|error| unwritten(path, &error))?;
    }
    Ok(contents.into_iter().map(|(path, _)| path).chain(rows).collect())
}

fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).open(path)
}

fn unwritten(path: &Path, error: &io::Error) -> Error {
    Error::invalid(format!("{}: cannot be written: {error}", path.display()))
}

/// Copies the rows with a first column that numbers them from 1.
fn number_rows(from: &Path, to: &Path) -> io::Result<()> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(from)?;
    let mut writer = csv::Writer::from_writer(create(to)?);
    for (number, record) in reader.records().enumerate() {
        let first = if number == 0 { "id".to_owned() } else { number.to_string() };
        let record = record?;
        // The byte order mark, if there is one, would stand inside the file.
        let cells = record.iter().enumerate().map(|(at, cell)| match (number, at) {
            (0, 0) => cell.trim_start_matches('\u{feff}'),
            _ => cell,
        });
        writer.write_record(std::iter::once(first.as_str()).chain(cells))?;
    }
    writer.flush()
}
