//! The series of one name, told apart by labels.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    sync::Arc,
};

use parking_lot::Mutex;

use super::series::Series;

/// The series of one name, told apart by labels.
///
/// Look a series up once and keep the handle: looking up takes a lock.
#[derive(Debug)]
pub(super) struct Family<S> {
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    empty: fn() -> S,
    series: Mutex<BTreeMap<String, Arc<S>>>,
}

impl<S: Series> Family<S> {
    /// A family without series yet; `empty` makes each.
    pub(super) fn new(
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
        empty: fn() -> S,
    ) -> Self {
        Family { name, help, labels, empty, series: Mutex::default() }
    }

    /// The series of these label values, in the order of the family's labels.
    pub(super) fn with(&self, values: &[&str]) -> Arc<S> {
        let key = self.key(values);
        Arc::clone(self.series.lock().entry(key).or_insert_with(|| Arc::new((self.empty)())))
    }

    /// Drops every series: what follows is set anew.
    pub(super) fn clear(&self) {
        self.series.lock().clear();
    }

    fn key(&self, values: &[&str]) -> String {
        debug_assert_eq!(values.len(), self.labels.len(), "{}", self.name);
        let pairs: Vec<String> =
            self.labels.iter().zip(values).map(|(name, value)| pair(name, value)).collect();
        pairs.join(",")
    }

    pub(super) fn write(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "# HELP {} {}", self.name, self.help)?;
        writeln!(out, "# TYPE {} {}", self.name, S::TYPE)?;
        self.series.lock().iter().try_for_each(|(labels, series)| series.write(out, self.name, labels))
    }
}

/// `name="value"`, escaped as the text format asks.
fn pair(name: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("{name}=\"{value}\"")
}

#[cfg(test)]
mod tests {
    use super::{super::series::Counter, *};

    #[test]
    fn series_are_told_apart_and_labels_escaped() {
        let family: Family<Counter> = Family::new("embergrid_x", "Things.", &["map"], Counter::default);
        family.with(&["b"]).add(2);
        family.with(&["a\"\\\n"]).add(1);
        family.with(&["b"]).add(3);
        let mut out = String::new();
        family.write(&mut out).expect("a String");
        assert_eq!(
            out,
            "# HELP embergrid_x Things.\n# TYPE embergrid_x counter\n\
             embergrid_x{map=\"a\\\"\\\\\\n\"} 1\nembergrid_x{map=\"b\"} 5\n"
        );
    }
}
