//! The one JSON object of a run.

use std::fmt;

use serde_json::{Map, Value};

use crate::arguments::Arguments;
use crate::load::Judgement;

/// What a run came to.
pub(crate) struct Report(Map<String, Value>);

impl Report {
    /// Nothing yet.
    pub(crate) fn new(arguments: &Arguments) -> Self {
        let mut report = Self(Map::new());
        report.add("test", arguments.test.as_str());
        report.add("ok", false);
        report.add("seed", arguments.seed);
        report
    }

    /// A figure.
    pub(crate) fn add(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// What the clients saw.
    pub(crate) fn add_judgement(&mut self, judgement: &Judgement) {
        for (name, count) in judgement.counts() {
            self.add(name, count);
        }
        if !judgement.refusals.is_empty() {
            self.add("refusals", judgement.refusals.clone());
        }
        if !judgement.findings.is_empty() {
            self.add("findings", judgement.findings.clone());
        }
    }

    /// The run is over; true if it found nothing amiss.
    pub(crate) fn conclude(&mut self, told: Result<(), String>) -> bool {
        let is_well = told.is_ok();
        self.add("ok", is_well);
        if let Err(failure) = told {
            self.add("why", failure);
        }
        is_well
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(&self.0).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}
