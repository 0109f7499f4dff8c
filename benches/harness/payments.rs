//! The bundled model of card payments, and rows for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Server, run};

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
}
