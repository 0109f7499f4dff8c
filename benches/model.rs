//! Microseconds a call at batch 1, 8, 64 and 1,024, one thread: the bundled models and, with the feature `rivals`, eight more of the
//! kinds that score events, beside ONNX Runtime in the same process, through its C API.
//!
//! `cargo bench --bench model [--features rivals] [-- --json]`. The rival and what trains the eight models are Python's: see
//! `benches/rivals/requirements.txt`, then `RIVALS_PYTHON=V/bin/python`.

mod harness;
#[cfg(feature = "rivals")]
#[path = "rivals/trained.rs"]
mod trained;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use embergrid::cli::payments::{COLUMNS, Simulator};
use embergrid::model::{Format, Model, Options, TensorView};
use harness::{Arguments, Cell, Report, Side, medians};

/// How long one side runs in one round.
const ROUND: Duration = Duration::from_millis(100);

/// Rows that the calls go through; enough that no branch predictor learns them.
const ROWS: usize = 2048;

fn main() {
    let arguments = Arguments::read();
    let mut report = Report::new("model");
    let folder = tempfile::tempdir().expect("a folder");
    for subject in subjects(folder.path()) {
        let file = std::fs::read(&subject.file).expect("a file");
        let model = Model::load(&file, Format::Onnx, &Options::default())
            .unwrap_or_else(|error| panic!("{}: {error}", subject.name));
        #[cfg(feature = "rivals")]
        let mut rival = subject.rival(folder.path());
        for batch in [1, 8, 64, 1024] {
            let shape: Vec<usize> = [&[batch], &subject.row[..]].concat();
            let mut ours = subject.side(batch, arguments.divisor, |rows| {
                black_box(model.run(&[TensorView::F32 { shape: &shape, data: rows }]).expect("it runs"));
            });
            #[cfg(feature = "rivals")]
            let mut rival = subject
                .side(batch, arguments.divisor, |rows| rival.run(rows, |scores| _ = black_box(scores[0])));
            #[cfg(feature = "rivals")]
            let mut sides: [Side<'_>; 2] = [&mut ours, &mut rival];
            #[cfg(not(feature = "rivals"))]
            let mut sides: [Side<'_>; 1] = [&mut ours];
            let name = format!("{}, batch {batch}", subject.name);
            report.add(match &medians(arguments.rounds, &mut sides)[..] {
                [ours, rival] => Cell::less_is_better(name, "us", ours[0], rival[0]),
                [ours, ..] => Cell::alone(name, "us", ours[0]),
                [] => continue,
            });
        }
    }
    report.print(arguments.json);
}

/// What is measured; files that are made for it go into `folder`.
fn subjects(#[cfg_attr(not(feature = "rivals"), allow(unused))] folder: &Path) -> Vec<Subject> {
    let bundled = ["breast-cancer", "digits", "payments"].map(Subject::bundled).into_iter();
    #[cfg(feature = "rivals")]
    let bundled = bundled.chain(trained::models(folder));
    bundled.collect()
}

/// A model, and rows for it.
struct Subject {
    name: String,
    file: PathBuf,
    /// The shape of a row.
    row: Vec<usize>,
    #[cfg_attr(not(feature = "rivals"), allow(dead_code, reason = "we give every output"))]
    output: String,
    rows: Vec<f32>,
}

impl Subject {
    /// A model of this repository.
    fn bundled(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(name);
        let manifest = std::fs::read_to_string(folder.join("1/manifest.toml")).expect("a file");
        let manifest: toml::Table = manifest.parse().expect("TOML");
        let names: Vec<&str> = manifest["inputs"][0]["features"]
            .as_array()
            .and_then(|names| names.iter().map(toml::Value::as_str).collect())
            .expect("names");
        let output = manifest["outputs"][0]["name"].as_str().expect("a name").to_owned();
        let rows = match name {
            "payments" => simulated(&names),
            _ => recorded(&folder.join("data.csv"), &names),
        };
        let rows = rows.iter().copied().cycle().take(ROWS * names.len()).collect();
        let (file, row) = (folder.join("1/model.onnx"), vec![names.len()]);
        Self { name: name.to_owned(), file, row, output, rows }
    }

    /// Calls with this many rows, for the length of a round: microseconds a call.
    #[allow(clippy::disallowed_methods, reason = "a bench reads the clock")]
    fn side(&self, batch: usize, divisor: u64, mut call: impl FnMut(&[f32])) -> impl FnMut() -> Vec<f64> {
        let round = ROUND / u32::try_from(divisor).expect("small");
        let mut batches = self.rows.chunks_exact(batch * self.row.iter().product::<usize>()).cycle();
        move || {
            let (start, mut calls) = (Instant::now(), 0);
            // The clock is read so seldom that it doesn't count.
            while start.elapsed() < round {
                for _ in 0..(1024 / batch) {
                    call(batches.next().expect("endless"));
                    calls += 1;
                }
            }
            vec![start.elapsed().as_secs_f64() * 1e6 / f64::from(calls)]
        }
    }

    #[cfg(feature = "rivals")]
    fn rival(&self, folder: &Path) -> harness::onnx_runtime::OnnxRuntime {
        use harness::{onnx_runtime::OnnxRuntime, python};
        let plain = folder.join("without_zipmap.onnx");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/rivals/without_zipmap.py");
        let mut python = std::process::Command::new(python::interpreter());
        let matrix = harness::run(python.arg(script).args([&self.file, &plain]));
        match matrix.trim_end() {
            "" => OnnxRuntime::load(&plain, &self.row, &self.output),
            matrix => OnnxRuntime::load(&plain, &self.row, matrix),
        }
    }
}

fn recorded(file: &Path, names: &[&str]) -> Vec<f32> {
    let mut reader = csv::Reader::from_path(file).expect("a file");
    let header = reader.headers().expect("a header").clone();
    let columns: Vec<usize> = names
        .iter()
        .map(|name| header.iter().position(|column| column == *name).expect("the column"))
        .collect();
    let records = reader.records().map(|record| record.expect("a row"));
    records
        .flat_map(|record| {
            columns.iter().map(|at| record[*at].parse().expect("a number")).collect::<Vec<f32>>()
        })
        .collect()
}

fn simulated(names: &[&str]) -> Vec<f32> {
    let columns: Vec<_> = names
        .iter()
        .map(|name| COLUMNS.iter().find(|column| column.name == *name).expect("the column").value)
        .collect();
    let value = |value: embergrid::row::Scalar<'_>| value.as_f32().expect("a number");
    Simulator::new(2)
        .take(ROWS)
        .flat_map(|payment| columns.iter().map(|column| value(column(&payment))).collect::<Vec<_>>())
        .collect()
}
