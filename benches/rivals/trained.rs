//! Models of the kinds that score events, trained for the bench.

use std::path::Path;
use std::process::Command;

use super::{Subject, harness};

/// What a line of `models.py` says.
#[derive(serde::Deserialize)]
struct Line {
    name: String,
    row: Vec<usize>,
    output: String,
}

/// Trains them into `folder`.
pub(crate) fn models(folder: &Path) -> Vec<Subject> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/rivals/models.py");
    let lines = harness::run(Command::new(harness::python::interpreter()).arg(script).arg(folder));
    let model = |line: &str| {
        let Line { name, row, output } = serde_json::from_str(line).expect("JSON");
        let rows = std::fs::read(folder.join(format!("{name}.f32"))).expect("a file");
        let rows = rows.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Subject { file: folder.join(format!("{name}.onnx")), name, row, output, rows }
    };
    lines.lines().map(model).collect()
}
