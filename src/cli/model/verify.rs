//! `embergrid model verify`

use std::path::PathBuf;

use clap::Args;

use crate::{
    cli::{
        context::Context,
        failure::{Failure, Result},
        table::Table,
    },
    model::{
        Backend, Options,
        golden::{Report, Tolerance, Verdict, verify_dirs},
    },
};

/// Run golden samples in the ONNX test layout and compare: exit 0 only if all are ok.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid model verify models/ --rtol 1e-5 --atol 1e-5")]
pub(super) struct Verify {
    /// Folders to search, recursively, for `model.onnx`, `.safetensors`, `.json`, `.ubj` or `.txt` with `test_data_set_*`.
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// Relative tolerance: `|a-b| <= atol + rtol*|b|`.
    #[arg(long, default_value_t = Tolerance::default().rtol)]
    rtol: f64,
    /// Absolute tolerance.
    #[arg(long, default_value_t = Tolerance::default().atol)]
    atol: f64,
    /// The tensor backend: flex, ndarray; with the feature `gpu` also wgpu.
    #[arg(long, default_value_t)]
    backend: Backend,
}

impl Verify {
    pub(super) fn run(self, context: &Context) -> Result {
        let tolerance = Tolerance { rtol: self.rtol, atol: self.atol };
        let options = Options { backend: self.backend, ..Options::default() };
        let report = verify_dirs(&self.dirs, tolerance, &options)?;
        context.output.answer(&report, text(&report))?;
        if report.all_ok() { Ok(()) } else { Err(Failure::Told) }
    }
}

fn text(report: &Report) -> String {
    let mut table = Table::new(["MODEL", "VERDICT", "MAX ABS ERROR", ""]);
    for case in &report.cases {
        let verdict = match case.verdict {
            Verdict::Ok => "ok",
            Verdict::Mismatch => "mismatch",
            Verdict::Unsupported => "unsupported",
            Verdict::Error => "error",
        };
        table.row([
            case.name.clone(),
            verdict.to_owned(),
            format!("{:.1e}", case.max_abs_err),
            case.message.clone(),
        ]);
    }
    let Report { ok, mismatch, unsupported, error, .. } = report;
    format!("{table}\n{ok} ok, {mismatch} mismatch, {unsupported} unsupported, {error} error")
}
