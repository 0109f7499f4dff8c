//! `embergrid model bench`

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{local::Local, measure::measure, repeat::repeated};
use crate::{
    cli::{context::Context, failure::Result, table::Table},
    model::{Backend, Limits},
};

/// Measure a model on one thread at several batch sizes.
///
/// The rows are those of its golden samples, over and over; zeros where there are none.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid model bench models/payments/1 --batch 1,64,1024")]
pub(super) struct Bench {
    /// A model file or version folder.
    file: PathBuf,
    /// Rows a call, several separated by commas.
    #[arg(long, value_name = "ROWS,..", value_delimiter = ',', default_value = "1,8,64,1024",
        value_parser = clap::value_parser!(u32).range(1..))]
    batch: Vec<u32>,
    /// The tensor backend: flex, ndarray; with the feature `gpu` also wgpu.
    #[arg(long, default_value_t)]
    backend: Backend,
}

/// What one batch size came to.
#[derive(Debug, Serialize)]
struct Cell {
    batch: u32,
    us_per_call: f64,
    rows_per_s: f64,
}

impl Bench {
    pub(super) fn run(self, context: &Context) -> Result {
        let local = Local::load(&self.file, self.backend)?;
        let cell = |batch: &u32| {
            let rows = repeated(&local, *batch as usize, &Limits::default())?;
            let us_per_call = measure(&local.model, &rows)?;
            let rows_per_s = (f64::from(*batch) / us_per_call * 1e6).round();
            Ok(Cell { batch: *batch, us_per_call, rows_per_s })
        };
        let cells: Vec<Cell> = self.batch.iter().map(cell).collect::<Result<_>>()?;
        let mut table = Table::new(["BATCH", "US A CALL", "ROWS/S"]);
        for cell in &cells {
            table.row([cell.batch.to_string(), cell.us_per_call.to_string(), cell.rows_per_s.to_string()]);
        }
        Ok(context.output.answer(&cells, table)?)
    }
}
