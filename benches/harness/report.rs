//! One way to print: a table, or with `--json` one object.

use serde::Serialize;

/// One comparison.
#[derive(Serialize)]
pub(crate) struct Cell {
    name: String,
    ours: f64,
    rival: Option<f64>,
    unit: &'static str,
    ratio: Option<f64>,
}

impl Cell {
    /// A figure of which more is better; the ratio is ours over the rival's.
    pub(crate) fn more_is_better(name: impl Into<String>, unit: &'static str, ours: f64, rival: f64) -> Self {
        Self { name: name.into(), ours, rival: Some(rival), unit, ratio: Some(ours / rival) }
    }

    /// A figure of which less is better; the ratio is the rival's over ours.
    pub(crate) fn less_is_better(name: impl Into<String>, unit: &'static str, ours: f64, rival: f64) -> Self {
        Self { name: name.into(), ours, rival: Some(rival), unit, ratio: Some(rival / ours) }
    }

    /// A figure without a rival.
    pub(crate) fn alone(name: impl Into<String>, unit: &'static str, ours: f64) -> Self {
        Self { name: name.into(), ours, rival: None, unit, ratio: None }
    }
}

/// All that one bench found.
#[derive(Serialize)]
pub(crate) struct Report {
    bench: &'static str,
    cells: Vec<Cell>,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(bench: &'static str) -> Self {
        Self { bench, cells: Vec::new() }
    }

    /// Adds a comparison, and says it on stderr at once.
    pub(crate) fn add(&mut self, cell: Cell) {
        eprintln!("{}", line(&cell));
        self.cells.push(cell);
    }

    /// Prints to stdout.
    #[allow(clippy::print_stdout, reason = "stdout is a bench's data")]
    pub(crate) fn print(&self, json: bool) {
        if json {
            println!("{}", serde_json::to_string(self).expect("numbers and names"));
            return;
        }
        println!("{:<64} {:>12} {:>12} {:<7} {:>6}", self.bench, "ours", "rival", "unit", "ratio");
        self.cells.iter().for_each(|cell| println!("{}", line(cell)));
    }
}

fn line(cell: &Cell) -> String {
    let Cell { name, ours, rival, unit, ratio } = cell;
    let rival = rival.map_or("-".to_owned(), |rival| format!("{rival:.1}"));
    let ratio = ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}x"));
    format!("{name:<64} {ours:>12.1} {rival:>12} {unit:<7} {ratio:>6}")
}
