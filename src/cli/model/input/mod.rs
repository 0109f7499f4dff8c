//! Rows of a file as a model's input tensors, a batch at a time.

mod npy;
mod plan;

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use serde_json::{Map, Value};

use super::local::Local;
use crate::{
    cli::rows::unreadable,
    model::Tensor,
    scoring::Signature,
    types::{Error, Result},
};
use plan::{Gathering, Plan};

/// Rows that are run together.
const ROWS: usize = 256;

/// Some rows, one tensor an input.
#[derive(Debug, PartialEq)]
pub(super) struct Batch {
    pub(super) rows: usize,
    pub(super) inputs: Vec<Tensor>,
}

/// The batches of a file.
type Batches = Box<dyn Iterator<Item = Result<Batch>>>;

/// Reads a file by what its name says it is.
pub(super) fn read(path: &Path, local: &Local) -> Result<Batches> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let place = path.display().to_string();
    let batches = match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => csv(file, local),
        Some("jsonl" | "ndjson") => jsonl(file, local),
        Some("npy") => npy::read(BufReader::new(file), &local.model, ROWS),
        _ => {
            Err(Error::invalid("its name does not say its format").hint("files end in .csv, .jsonl or .npy"))
        }
    };
    let batches = batches.map_err(|error| error.within(&place))?;
    Ok(Box::new(batches.map(move |batch| batch.map_err(|error| error.within(&place)))))
}

fn csv(file: File, local: &Local) -> Result<Batches> {
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers().map_err(|error| Error::invalid(error.to_string()))?.clone();
    let names: Vec<&str> = header.iter().map(str::trim).collect();
    let plan = Plan::new(local, Some(&names))?;
    let mut records = reader.into_records().zip(2_u64..);
    Ok(batches(plan, move |gathering| {
        let Some((record, line)) = records.next() else { return Ok(false) };
        let within = |error: Error| error.within(format_args!("line {line}"));
        let record = record.map_err(|error| within(Error::invalid(error.to_string())))?;
        gathering.add_text(&|at| record.get(at)).map_err(within)?;
        Ok(true)
    }))
}

fn jsonl(file: File, local: &Local) -> Result<Batches> {
    let plan = Plan::new(local, None)?;
    let mut lines = BufReader::new(file).lines().zip(1_u64..);
    Ok(batches(plan, move |gathering| {
        for (text, line) in lines.by_ref() {
            let within = |error: Error| error.within(format_args!("line {line}"));
            let text = text.map_err(|error| within(Error::invalid(error.to_string())))?;
            if text.trim().is_empty() {
                continue;
            }
            let object: Map<String, Value> = serde_json::from_str(&text)
                .map_err(|error| within(Error::invalid(format!("not a JSON object: {error}"))))?;
            gathering.add_json(&object).map_err(within)?;
            return Ok(true);
        }
        Ok(false)
    }))
}

/// Calls `add`, which adds one row and says whether there was one, batch by batch.
fn batches(plan: Plan, mut add: impl FnMut(&mut Gathering<'_>) -> Result<bool> + 'static) -> Batches {
    let mut next = move || {
        let mut gathering = plan.begin();
        while gathering.rows() < ROWS && add(&mut gathering)? {}
        Ok(gathering.finish())
    };
    let batches = std::iter::from_fn(move || match next() {
        Ok(batch) if batch.rows == 0 => None,
        batch => Some(batch),
    });
    // Nothing is read past an error.
    let mut failed = false;
    Box::new(batches.take_while(move |batch| !std::mem::replace(&mut failed, batch.is_err())))
}

/// The signature of a model that names its features; of one that does not, why.
fn signature(local: &Local) -> Result<Signature> {
    Signature::of(&local.model, local.manifest.as_ref())
}

#[cfg(test)]
mod tests;
