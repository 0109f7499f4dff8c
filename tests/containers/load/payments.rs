//! Simulated payments, and what the model makes of each outside the cluster.

use std::path::Path;

use serde_json::{Map, Value};

/// Adding up in another order may change the last digits.
const TOLERANCE: f64 = 1e-6;

/// Rows with the scores that they are due.
pub(crate) struct Payments {
    rows: Vec<Map<String, Value>>,
    scores: Vec<f64>,
}

impl Payments {
    /// Reads them from a CSV file whose first column is the id, and from a file with a score a line.
    pub(crate) fn read(rows: &Path, scores: &Path) -> Result<Self, String> {
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let text = read(rows)?;
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().ok_or("no header")?.split(',').collect();
        let row = |line: &str| {
            let cells = header.iter().zip(line.split(',')).skip(1);
            cells.map(|(name, cell)| ((*name).to_owned(), json(cell))).collect()
        };
        let rows: Vec<_> = lines.map(row).collect();
        let scores = read(scores)?;
        let scores: Result<Vec<f64>, _> = scores.lines().map(str::parse).collect();
        let scores = scores.map_err(|error| format!("a score: {error}"))?;
        if rows.is_empty() || rows.len() != scores.len() {
            return Err(format!("{} payments and {} scores", rows.len(), scores.len()));
        }
        Ok(Self { rows, scores })
    }

    /// Without rows, for those whose scores alone matter.
    pub(super) fn of_scores(scores: &[f64]) -> Self {
        Self { rows: vec![Map::new(); scores.len()], scores: scores.to_vec() }
    }

    /// One of them; any number will do.
    pub(super) fn row(&self, number: u64) -> &Map<String, Value> {
        &self.rows[self.at(number)]
    }

    /// Whether that is what the model makes of it.
    pub(super) fn is_score_of(&self, number: u64, score: Option<f32>) -> bool {
        score.is_some_and(|score| (f64::from(score) - self.scores[self.at(number)]).abs() <= TOLERANCE)
    }

    fn at(&self, number: u64) -> usize {
        (number % self.rows.len() as u64) as usize
    }
}

/// A CSV cell as JSON.
fn json(cell: &str) -> Value {
    match cell {
        "" => Value::Null,
        cell => cell.parse().unwrap_or_else(|_| cell.into()),
    }
}
