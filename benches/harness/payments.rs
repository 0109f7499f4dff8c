//! The bundled model of card payments, and rows for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Load, Server, run};

/// The model, and the rows written through it.
pub(crate) struct Payments {
    /// The model's file.
    pub(crate) model: PathBuf,
    /// The output that is the score.
    pub(crate) output: String,
    /// The columns that the model reads, in its order.
    pub(crate) features: Vec<String>,
    /// A CSV file of rows.
    pub(crate) rows: PathBuf,
    _folder: tempfile::TempDir,
}

impl Payments {
    /// Reads the model's manifest, and simulates so many payments.
    pub(crate) fn prepare(rows: u64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("payments.csv");
        run(Command::new(env!("CARGO_BIN_EXE_embergrid"))
            .args(["demo", "--rows", &rows.to_string(), "--seed", "7"])
            .args(["--write-payments".as_ref(), file.as_os_str()]));
        let manifest = Path::new("models/payments/1/manifest.toml");
        let text = std::fs::read_to_string(manifest).expect("the bundled model");
        let text: toml::Table = text.parse().expect("TOML");
        let input = &text["inputs"][0];
        let features = input["features"].as_array().expect("a list").iter();
        let features = features.map(|name| name.as_str().expect("a name").to_owned()).collect();
        Self {
            model: manifest.with_file_name(text["file"].as_str().expect("a name")),
            output: text["outputs"][0]["name"].as_str().expect("a name").to_owned(),
            features,
            rows: file,
            _folder: folder,
        }
    }

    /// Creates the map and deploys the model; nothing is bound yet.
    pub(crate) fn deploy(node: &Server) {
        node.command(&["map", "create", "payments", "--schema", "cluster/payments.schema.toml"]);
        node.command(&["model", "deploy", "payments", "models/payments/1", "--alias", "champion"]);
    }

    /// From now on a write is scored.
    pub(crate) fn bind(node: &Server) {
        node.command(&["binding", "apply", "cluster/payments.binding.toml"]);
    }

    /// The rows as JSON objects, without their keys.
    pub(crate) fn objects(&self) -> Vec<serde_json::Map<String, serde_json::Value>> {
        let mut reader = csv::Reader::from_path(&self.rows).expect("a file");
        let header = reader.headers().expect("a header").clone();
        let object = |record: csv::StringRecord| {
            let cells = header.iter().zip(record.iter()).filter(|(name, _)| *name != "id");
            cells.map(|(name, cell)| (name.to_owned(), json(cell))).collect()
        };
        reader.records().map(|record| object(record.expect("a row"))).collect()
    }

    /// Writes the rows by `embergrid bench score`, in an open loop if there is a rate; not one may be refused or left
    /// without its score.
    pub(crate) fn write(&self, node: &Server, load: Load, rate: Option<f64>) -> serde_json::Value {
        let rows = self.rows.to_str().expect("text");
        let rate = rate.map(|rate| format!("--rate={rate:.0}"));
        let load = load.arguments();
        let mut words = vec!["bench", "score", "--map", "payments", "--rows", rows, "--key", "id"];
        words.extend(load.iter().map(String::as_str));
        words.extend(rate.as_deref());
        let done = node.command(&words);
        assert_eq!(done["errors"], 0, "{done}");
        done
    }
}

/// A CSV cell as JSON.
fn json(cell: &str) -> serde_json::Value {
    match cell {
        "" => serde_json::Value::Null,
        cell => cell.parse().unwrap_or_else(|_| cell.into()),
    }
}

/// Rows a second, p50 and p99 of a call in microseconds, from what a load generator printed.
pub(crate) fn figures(done: &serde_json::Value) -> Vec<f64> {
    ["ops_per_s", "p50_us", "p99_us"].iter().map(|name| done[name].as_f64().expect("a number")).collect()
}
