//! A payment as a row: its columns by name, in the order of the schema and of the CSV.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::{Payment, Simulator};
use crate::row::{Builder, Scalar, Schema};
use crate::types::{Result, Timestamp};

/// One column of a payment: its name, and how to read it.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// As in `cluster/payments.schema.toml`.
    pub name: &'static str,
    /// The value of a payment.
    pub value: fn(&Payment) -> Scalar<'_>,
}

const fn column(name: &'static str, value: fn(&Payment) -> Scalar<'_>) -> Column {
    Column { name, value }
}

/// All columns of the map `payments` that a client writes; the key `id` stands beside them.
pub const COLUMNS: [Column; 34] = [
    column("card", |payment| Scalar::Str(&payment.card)),
    column("time", |payment| Scalar::Timestamp(Timestamp(payment.time))),
    column("country", |payment| Scalar::Str(payment.country)),
    column("amount", |payment| Scalar::F64(payment.amount)),
    column("hour", |payment| Scalar::I32(payment.hour)),
    column("weekday", |payment| Scalar::I32(payment.weekday)),
    column("merchant_category", |payment| Scalar::I32(payment.merchant_category)),
    column("card_present", |payment| Scalar::Bool(payment.card_present)),
    column("foreign", |payment| Scalar::Bool(payment.foreign)),
    column("country_changed", |payment| Scalar::Bool(payment.country_changed)),
    column("distance_from_home", |payment| Scalar::F32(payment.distance_from_home)),
    column("distance_from_last", |payment| Scalar::F32(payment.distance_from_last)),
    column("speed_from_last", |payment| Scalar::F32(payment.speed_from_last)),
    column("seconds_since_last", |payment| Scalar::F32(payment.seconds_since_last)),
    column("new_merchant", |payment| Scalar::Bool(payment.new_merchant)),
    column("new_category", |payment| Scalar::Bool(payment.new_category)),
    column("new_device", |payment| Scalar::Bool(payment.new_device)),
    column("count_1h", |payment| Scalar::I32(payment.count_1h)),
    column("count_24h", |payment| Scalar::I32(payment.count_24h)),
    column("count_7d", |payment| Scalar::I32(payment.count_7d)),
    column("sum_1h", |payment| Scalar::F32(payment.sum_1h)),
    column("sum_24h", |payment| Scalar::F32(payment.sum_24h)),
    column("sum_7d", |payment| Scalar::F32(payment.sum_7d)),
    column("max_7d", |payment| Scalar::F32(payment.max_7d)),
    column("amount_to_mean", |payment| Scalar::F32(payment.amount_to_mean)),
    column("amount_to_max_7d", |payment| Scalar::F32(payment.amount_to_max_7d)),
    column("amount_deviation", |payment| Scalar::F32(payment.amount_deviation)),
    column("small_1h", |payment| Scalar::I32(payment.small_1h)),
    column("merchants_24h", |payment| Scalar::I32(payment.merchants_24h)),
    column("countries_7d", |payment| Scalar::I32(payment.countries_7d)),
    column("usual_hour", |payment| Scalar::F32(payment.usual_hour)),
    column("card_age_days", |payment| Scalar::F32(payment.card_age_days)),
    column("pace_1h", |payment| Scalar::F32(payment.pace_1h)),
    column("is_fraud", |payment| Scalar::Bool(payment.is_fraud)),
];

impl Payment {
    /// The payment as a packed row of a schema that has its columns.
    ///
    /// # Errors
    /// If the schema lacks a column of a payment, or has one that a payment lacks and that isn't nullable.
    pub fn pack(&self, schema: &Schema) -> Result<Vec<u8>> {
        let mut row = Builder::new(schema);
        for column in &COLUMNS {
            row.set_named(column.name, (column.value)(self))?;
        }
        row.finish()
    }
}

/// Writes the first `rows` payments of a seed as CSV, the key `id` first.
///
/// # Errors
/// If the file can't be written.
pub fn write_csv(path: &Path, rows: u64, seed: u64) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
    writeln!(file, "id,{}", names.join(","))?;
    let mut line = String::new();
    for (_, payment) in (0..rows).zip(Simulator::new(seed)) {
        line.clear();
        csv(&payment, &mut line);
        writeln!(file, "{line}")?;
    }
    file.flush()
}

/// One line. No value holds a comma or a quote; floats are the shortest text that reads back the same.
pub(super) fn csv(payment: &Payment, line: &mut String) {
    // Writing to a string can't fail.
    let _ = write!(line, "{}", payment.id);
    for column in &COLUMNS {
        let _ = match (column.value)(payment) {
            Scalar::Str(text) => write!(line, ",{text}"),
            Scalar::Bool(flag) => write!(line, ",{flag}"),
            Scalar::I32(number) => write!(line, ",{number}"),
            Scalar::F32(number) => write!(line, ",{number}"),
            Scalar::F64(number) => write!(line, ",{number}"),
            Scalar::Timestamp(time) => write!(line, ",{}", time.0),
            Scalar::Null | Scalar::I64(_) | Scalar::Bytes(_) | Scalar::Vector(_) => {
                unreachable!("no column of a payment is of this kind")
            }
        };
    }
}
