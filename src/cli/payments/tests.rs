//! The simulation is fixed by its seed, and what it says about a card is true.

use std::collections::HashMap;

use super::*;
use crate::row::{RowRef, schema_file};

#[test]
fn a_seed_is_a_stream() {
    let first: Vec<Payment> = Simulator::new(7).take(2_000).collect();
    assert_eq!(first, Simulator::new(7).take(2_000).collect::<Vec<_>>());
    assert_ne!(first, Simulator::new(8).take(2_000).collect::<Vec<_>>());
    assert!(first.iter().map(|payment| payment.id).eq(1..=2_000));
    assert!(first.is_sorted_by_key(|payment| payment.time));
}

/// Bundled golden samples and the numbers in the README come from this stream: it must not drift.
#[test]
fn the_stream_is_the_same_for_ever() {
    let mut text = String::new();
    for payment in Simulator::new(1).take(1_000) {
        columns::csv(&payment, &mut text);
        text.push('\n');
    }
    assert_eq!(
        blake3::hash(text.as_bytes()).to_hex().as_str(),
        "cef687068de9fa44f61d65118b8b521a855b0e92f7c6e1c2bacfab88fca8b4f0"
    );
}

#[test]
fn some_payments_are_fraud_of_every_scheme() {
    let payments: Vec<Payment> = Simulator::new(1).take(30_000).collect();
    let frauds: Vec<&Payment> = payments.iter().filter(|payment| payment.is_fraud).collect();
    let share = frauds.len() as f64 / payments.len() as f64;
    assert!((0.005..0.02).contains(&share), "{share}");
    assert!(frauds.iter().any(|payment| payment.card_present && !payment.foreign));
    assert!(frauds.iter().any(|payment| payment.card_present && payment.foreign));
    assert!(frauds.iter().any(|payment| payment.amount < 3.0 && payment.small_1h > 2));
    assert!(frauds.iter().any(|payment| !payment.card_present && payment.amount > 500.0));
}

#[test]
fn history_is_that_of_the_card() {
    let mut last: HashMap<String, Vec<Payment>> = HashMap::new();
    for payment in Simulator::new(3).take(5_000) {
        let before = last.entry(payment.card.clone()).or_default();
        if let Some(previous) = before.last() {
            let seconds = (payment.time - previous.time) as f64 / 1000.0;
            assert_eq!(payment.seconds_since_last, seconds.min(LONG_AGO) as f32);
            assert_eq!(payment.country_changed, payment.country != previous.country);
        }
        let recent = before.iter().filter(|past| payment.time - past.time <= 3_600_000);
        assert!(payment.count_1h as usize >= recent.clone().count());
        let cents: f64 = recent.map(|past| (past.amount * 100.0).round()).sum();
        assert!(f64::from(payment.sum_1h) >= cents / 100.0 - 0.01);
        before.push(payment);
    }
}

#[test]
fn a_payment_is_a_row_of_the_bundled_schema() {
    let text = include_str!("../../../cluster/payments.schema.toml");
    let schema = schema_file::parse("payments.schema.toml", text).unwrap().schema.unwrap();
    for payment in Simulator::new(5).take(100) {
        let bytes = payment.pack(&schema).unwrap();
        let row = RowRef::new(&schema, &bytes).unwrap();
        for column in &COLUMNS {
            let at = schema.require(column.name).unwrap();
            assert_eq!(row.value(at), (column.value)(&payment), "{}", column.name);
        }
    }
}

#[test]
fn csv_has_a_line_a_payment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("payments.csv");
    write_csv(&path, 10, 4).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 11);
    assert!(lines[0].starts_with("id,card,time,country,amount,"));
    assert!(lines.iter().all(|line| line.split(',').count() == COLUMNS.len() + 1));
}
