//! Schema files.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{Column, Kind, MAX_COLUMNS, Schema};
use crate::types::{Error, KeyKind, Result, SchemaId, check_name, read_toml};

/// What a schema file says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapFile {
    /// The map's name.
    pub map: String,
    /// The name of the key, as files with rows call it; a feature map has one.
    pub key_name: Option<String>,
    /// What the keys are; `None` for a plain map that takes any.
    pub key_kind: Option<KeyKind>,
    /// A feature map's columns, under schema id 0 until the catalogue gives one; `None` for a plain map.
    pub schema: Option<Schema>,
}

impl MapFile {
    /// A map of opaque bytes with keys of any kind.
    pub fn plain(map: impl Into<String>) -> Self {
        MapFile { map: map.into(), key_name: None, key_kind: None, schema: None }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: Spanned<u32>,
    map: Spanned<String>,
    #[serde(default)]
    kind: MapKind,
    key: Option<KeyEntry>,
    #[serde(default)]
    columns: Vec<Spanned<ColumnEntry>>,
    #[serde(default)]
    scores: Vec<Spanned<ScoreEntry>>,
}

#[derive(Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MapKind {
    #[default]
    Feature,
    Plain,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    name: String,
    #[serde(rename = "type")]
    kind: KeyKind,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnEntry {
    name: String,
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(default)]
    nullable: bool,
    min: Option<f64>,
    max: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScoreEntry {
    name: String,
    #[serde(rename = "type")]
    kind: Kind,
}

/// Reads a schema file's text; `name` is the file's name for messages.
pub fn parse(name: &str, text: &str) -> Result<MapFile> {
    let file: File = read_toml(name, text)?;
    let at = |offset: usize| format!("{name}:{}", line_at(text, offset));
    if *file.format.get_ref() != 1 {
        return Err(Error::invalid(format!("format {} is unknown", file.format.get_ref()))
            .hint("this version reads `format = 1`")
            .within(at(file.format.span().start)));
    }
    check_name("map", file.map.get_ref()).map_err(|error| error.within(at(file.map.span().start)))?;
    let schema = match (file.kind, &file.key) {
        (MapKind::Plain, _) if file.columns.is_empty() && file.scores.is_empty() => None,
        (MapKind::Plain, _) => {
            return Err(Error::invalid("a plain map has no columns")
                .hint("leave out `columns` and `scores`, or write `kind = \"feature\"`")
                .within(name));
        }
        (MapKind::Feature, Some(key)) => Some(schema(&file.columns, &file.scores, &key.name, name, at)?),
        (MapKind::Feature, None) => {
            return Err(Error::invalid("the key `key` is missing")
                .hint("write for example `key = { name = \"id\", type = \"i64\" }`")
                .within(name));
        }
    };
    let (key_name, key_kind) = file.key.map(|key| (key.name, key.kind)).unzip();
    Ok(MapFile { map: file.map.into_inner(), key_name, key_kind, schema })
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

fn schema(
    columns: &[Spanned<ColumnEntry>],
    scores: &[Spanned<ScoreEntry>],
    key: &str,
    name: &str,
    at: impl Fn(usize) -> String,
) -> Result<Schema> {
    let entries = columns.iter().map(|entry| (entry.span().start, Column::from(entry.get_ref())));
    let entries =
        entries.chain(scores.iter().map(|entry| (entry.span().start, Column::from(entry.get_ref()))));
    let mut checked: Vec<Column> = Vec::new();
    for (offset, column) in entries.take(MAX_COLUMNS + 1) {
        if column.name == key {
            return Err(Error::invalid(format!("the column `{key}` has the name of the key"))
                .hint("the key is not a column")
                .within(at(offset)));
        }
        if checked.iter().any(|other| other.name == column.name) {
            return Err(Error::invalid(format!("there are two columns `{}`", column.name)).within(at(offset)));
        }
        // The column by itself: whatever is wrong with it has this line.
        Schema::new(SchemaId(0), vec![column.clone()]).map_err(|error| error.within(at(offset)))?;
        checked.push(column);
    }
    Schema::new(SchemaId(0), checked).map_err(|error| error.within(name))
}

impl From<&ColumnEntry> for Column {
    fn from(entry: &ColumnEntry) -> Self {
        let column = Column::new(entry.name.clone(), entry.kind).range(entry.min, entry.max);
        if entry.nullable { column.nullable() } else { column }
    }
}

impl From<&ScoreEntry> for Column {
    fn from(entry: &ScoreEntry) -> Self {
        Column::score(entry.name.clone(), entry.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"format = 1
map = "screening"
kind = "feature"
key = { name = "id", type = "i64" }
columns = [
  { name = "mean_radius",  type = "f64", min = 0.0 },
  { name = "diagnosis", type = "str", nullable = true },
  { name = "shape", type = "vector<f32,3>", nullable = true },
]
scores = [{ name = "malignant", type = "f32" }]
"#;

    fn refusal(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        parse("s.toml", &GOOD.replace(from, to)).unwrap_err().to_string()
    }

    #[test]
    fn reads_a_feature_map() {
        let file = parse("s.toml", GOOD).unwrap();
        assert_eq!((file.map.as_str(), file.key_name.as_deref()), ("screening", Some("id")));
        assert_eq!(file.key_kind, Some(KeyKind::I64));
        assert_eq!(
            file.schema.unwrap().columns(),
            [
                Column::new("mean_radius", Kind::F64).range(0.0, None),
                Column::new("diagnosis", Kind::Str).nullable(),
                Column::new("shape", Kind::Vector(3)).nullable(),
                Column::score("malignant", Kind::F32),
            ]
        );
    }

    #[test]
    fn reads_a_plain_map() {
        let file = parse("s.toml", "format = 1\nmap = \"cache\"\nkind = \"plain\"\n").unwrap();
        assert_eq!(file, MapFile { map: "cache".into(), key_name: None, key_kind: None, schema: None });
    }

    #[test]
    fn refusals_name_the_line() {
        for (from, to, expected) in [
            ("format = 1", "format = 2", "s.toml:1: format 2 is unknown (this version reads `format = 1`)"),
            ("\"screening\"", "\"a b\"", "s.toml:2: `a b` cannot name a map"),
            ("scores =", "score =", "s.toml:10: there is no key `score` (did you mean `scores`?)"),
            ("min = 0.0", "minn = 0.0", "s.toml:6: there is no key `minn` (did you mean `min`?)"),
            (
                "min = 0.0",
                "min = 1.0, max = 0.0",
                "s.toml:6: the column `mean_radius` has a min of 1 above its max of 0",
            ),
            ("\"str\"", "\"string\"", "s.toml:7: "),
            ("\"malignant\"", "\"diagnosis\"", "s.toml:10: there are two columns `diagnosis`"),
            (
                "\"diagnosis\"",
                "\"id\"",
                "s.toml:7: the column `id` has the name of the key (the key is not a column)",
            ),
            ("\"diagnosis\"", "\"\"", "s.toml:7: a column's name has 0 bytes, not 1 to 128"),
            ("\"feature\"", "\"plain\"", "s.toml: a plain map has no columns"),
            ("key = {", "# {", "s.toml: the key `key` is missing"),
        ] {
            let refusal = refusal(from, to);
            assert!(refusal.starts_with(expected), "{refusal:?} lacks {expected:?}");
        }
    }
}
