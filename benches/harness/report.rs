//! One way to print: a table, or with `--json` one object.

use serde::Serialize;

/// One comparison.
#[derive(Serialize)]
pub(crate) struct Cell {
    name: String,
    ours: f64,
    rival: f64,
    unit: &'static str,
    ratio: f64,
}

impl Cell {
    /// A figure of which more is better; the ratio is ours over the rival's.
    pub(crate) fn more_is_better(name: impl Into<String>, unit: &'static str, ours: f64, rival: f64) -> Self {
        Self { name: name.into(), ours, rival, unit, ratio: ours / rival }
    }

    /// A figure of which less is better; the ratio is the rival's over ours.
    pub(crate) fn less_is_better(name: impl Into<String>, unit: &'static str, ours: f64, rival: f64) -> Self {
        Self { name: name.into(), ours, rival, unit, ratio: rival / ours }
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
    format!("{name:<64} {ours:>12.1} {rival:>12.1} {unit:<7} {ratio:>5.2}x")
}
