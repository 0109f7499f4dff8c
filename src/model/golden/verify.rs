//! `model verify`: runs golden samples and judges the results.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{
    super::{Error, Format, Model, Options, TensorView},
    Sample, Tolerance, compare, read_file, sample_dirs,
};
use crate::types;

/// How a model did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All outputs of all samples are as expected.
    Ok,
    /// An output differs.
    Mismatch,
    /// The model was refused for operators that the engine does not have.
    Unsupported,
    /// The model or a sample could not be read, or a run failed.
    Error,
}

/// One model with its samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Case {
    /// Path of its folder.
    pub name: String,
    /// How it did.
    pub verdict: Verdict,
    /// The largest difference between floats, in any sample.
    pub max_abs_err: f64,
    /// Operators that the engine does not have, as `domain:Op`.
    pub unsupported: Vec<String>,
    /// Why it is not ok; empty if it is.
    pub message: String,
}

/// All cases and how many there are of each verdict.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// One entry a model.
    pub cases: Vec<Case>,
    /// How many are ok.
    pub ok: usize,
    /// How many differ.
    pub mismatch: usize,
    /// How many are not supported.
    pub unsupported: usize,
    /// How many failed.
    pub error: usize,
}

impl Report {
    /// Whether every case is ok.
    pub fn all_ok(&self) -> bool {
        self.ok == self.cases.len()
    }

    fn add(&mut self, case: Case) {
        match case.verdict {
            Verdict::Ok => self.ok += 1,
            Verdict::Mismatch => self.mismatch += 1,
            Verdict::Unsupported => self.unsupported += 1,
            Verdict::Error => self.error += 1,
        }
        self.cases.push(case);
    }
}

/// How deep folders are searched.
const DEPTH: usize = 16;

/// Verifies every model in the folders, if the backend's device is there.
pub fn verify_dirs(dirs: &[PathBuf], tolerance: Tolerance, options: &Options) -> types::Result<Report> {
    // Without it every model would fail for the same reason.
    options.backend.ready()?;
    let mut report = Report::default();
    for dir in dirs {
        let mut found = Vec::new();
        search(dir, DEPTH, &mut found)?;
        if found.is_empty() {
            let files = Format::ALL.iter().flat_map(|format| format.files()).map(|file| format!("`{file}`"));
            let files = files.collect::<Vec<_>>().join(" or ");
            return Err(types::Error::invalid(format!("{}: no {files} in it", dir.display()))
                .hint("give a folder in ONNX's test layout: model.onnx, test_data_set_0/input_0.pb, .."));
        }
        for (case, file) in found {
            let name = match case.strip_prefix(dir) {
                Ok(path) if path.as_os_str().is_empty() => ".".to_owned(),
                Ok(path) => path.display().to_string(),
                Err(_) => case.display().to_string(),
            };
            report.add(verify_case(name, &case, file, tolerance, options));
        }
    }
    Ok(report)
}

/// Finds folders with a model in them, and the file of that model.
fn search(dir: &Path, depth: usize, found: &mut Vec<(PathBuf, &'static str)>) -> types::Result<()> {
    let fail = |error: std::io::Error| types::Error::invalid(format!("{}: {error}", dir.display()));
    let mut inner = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let mut files = Format::ALL.into_iter().flat_map(Format::files);
        if let Some(file) = files.find(|file| entry.file_name() == **file) {
            found.push((dir.to_owned(), file));
        } else if entry.file_type().map_err(fail)?.is_dir() {
            inner.push(entry.path());
        }
    }
    inner.sort();
    if depth > 0 {
        for dir in inner {
            search(&dir, depth - 1, found)?;
        }
    }
    Ok(())
}

fn verify_case(name: String, dir: &Path, file: &str, tolerance: Tolerance, options: &Options) -> Case {
    let mut case = Case {
        name,
        verdict: Verdict::Error,
        max_abs_err: 0.0,
        unsupported: Vec::new(),
        message: String::new(),
    };
    let loaded = read_file(&dir.join(file), options.limits.bytes).and_then(|bytes| {
        match Model::load(&bytes, Format::of(file.as_ref()), options) {
            Ok(model) => Ok(Some(model)),
            Err(Error::Unsupported { operators, reasons }) => {
                case.verdict = Verdict::Unsupported;
                case.message = reasons.join("; ");
                case.unsupported = operators;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    });
    let judged = match loaded {
        Ok(None) => return case,
        Ok(Some(model)) => judge(&model, dir, tolerance, options),
        Err(error) => Err(error),
    };
    match judged {
        Ok((max_abs_err, None)) => {
            case.max_abs_err = max_abs_err;
            case.verdict = Verdict::Ok;
        }
        Ok((max_abs_err, Some(message))) => {
            case.max_abs_err = max_abs_err;
            case.verdict = Verdict::Mismatch;
            case.message = message;
        }
        Err(error) => case.message = error.to_string(),
    }
    case
}

/// The largest difference in all samples, and the first output that is not as expected.
fn judge(
    model: &Model,
    dir: &Path,
    tolerance: Tolerance,
    options: &Options,
) -> types::Result<(f64, Option<String>)> {
    let dirs = sample_dirs(dir)?;
    if dirs.is_empty() {
        return Err(types::Error::invalid("there is no sample beside it").hint("add test_data_set_0"));
    }
    let mut most: f64 = 0.0;
    let mut wrong = None;
    for dir in dirs {
        let sample = Sample::read(&dir, model, &options.limits)?;
        let (error, message) = verify(model, &sample, tolerance)?;
        most = most.max(error);
        wrong = wrong.or(message);
    }
    Ok((most, wrong))
}

/// Runs one sample: the largest difference, and the first output that is not as expected.
pub fn verify(model: &Model, sample: &Sample, tolerance: Tolerance) -> types::Result<(f64, Option<String>)> {
    let views: Vec<TensorView<'_>> = sample.inputs.iter().map(super::Tensor::view).collect();
    let outputs = model.run(&views)?;
    let mut most: f64 = 0.0;
    let mut wrong = None;
    for ((given, expected), port) in outputs.iter().zip(&sample.outputs).zip(model.outputs()) {
        let (error, result) = compare(given, expected, tolerance);
        most = most.max(error);
        if let Err(mismatch) = result {
            wrong = wrong.or(Some(format!("{}, output `{}`: {}", sample.name, port.name, mismatch.0)));
        }
    }
    Ok((most, wrong))
}
