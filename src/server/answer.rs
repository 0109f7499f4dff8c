//! Answers of the grid, packed for sessions, and read again where they come from another node.

use bytes::Bytes;

use crate::{
    partition::{MapView, Outcome},
    row::{RowRef, Scalar, Schema},
    store::{self, Parts, Record},
    types::{BindingId, Key, Result, RowVersion},
    wire::v1::{self, reply, score_value::Value},
};

/// What became of a write. `shows_row` is for updates: an SDK knows the row that it has put.
pub(super) fn written(map: &MapView, answer: Result<Outcome>, shows_row: bool) -> reply::Answer {
    let outcome = match answer {
        Ok(outcome) => outcome,
        Err(error) => return reply::Answer::Error(error.into()),
    };
    let mut scores = Vec::new();
    let mut row = None;
    if let Some(record) = &outcome.record {
        scores = self::scores(map, record);
        row = shows_row.then(|| Box::new(stored(record)));
    }
    reply::Answer::Written(v1::Written {
        skipped: !outcome.applied,
        version: outcome.version.map_or(0, |version| version.0),
        old: outcome.old.as_ref().map(|old| Box::new(stored(old))),
        scores,
        row,
    })
}

/// What a read found.
pub(super) fn read(found: Result<Option<Record>>, only_version: bool) -> reply::Answer {
    match found {
        Ok(Some(record)) if only_version => {
            let version = record.row_version().0;
            reply::Answer::Stored(v1::Stored { version, ..Default::default() })
        }
        Ok(Some(record)) => reply::Answer::Stored(stored(&record)),
        Ok(None) => reply::Answer::Absent(v1::Absent {}),
        Err(error) => reply::Answer::Error(error.into()),
    }
}

/// A row as it is stored.
pub(super) fn stored(record: &Record) -> v1::Stored {
    let version = record.row_version().0;
    let lineage = record
        .lineage()
        .map(|from| v1::Lineage {
            binding: from.binding.0,
            model_version: from.model_version,
            row_version: version,
        })
        .collect();
    v1::Stored { value: Bytes::copy_from_slice(record.value()), version, lineage }
}

/// What [`stored`] has packed.
pub(super) fn record(map: &MapView, key: &Key, stored: &v1::Stored) -> Result<Record> {
    if let Some(schema) = map.map.schema() {
        // It comes from outside.
        RowRef::new(schema, &stored.value)?;
    }
    let lineage = stored.lineage.iter().map(|from| store::Lineage {
        binding: BindingId(from.binding),
        model_version: from.model_version,
        job: None,
    });
    Ok(Record::new(&Parts {
        key: key.packed(),
        value: &stored.value,
        row_version: RowVersion(stored.version),
        expires_at: None,
        unscored: false,
        lineage: lineage.collect(),
    }))
}

/// What [`written`] has packed, if it shows rows.
pub(super) fn outcome(map: &MapView, key: &Key, written: v1::Written) -> Result<Outcome> {
    let record = |stored: Option<Box<v1::Stored>>| stored.map(|stored| record(map, key, &stored)).transpose();
    Ok(Outcome {
        applied: !written.skipped,
        version: (written.version > 0).then_some(RowVersion(written.version)),
        old: record(written.old)?,
        record: record(written.row)?,
    })
}

/// The scores that the record carries, by binding.
fn scores(map: &MapView, record: &Record) -> Vec<v1::Score> {
    let Some(schema) = map.map.schema() else { return Vec::new() };
    let Ok(row) = RowRef::trusted(schema, record.value()) else { return Vec::new() };
    record
        .lineage()
        .map(|from| {
            let binding = map.bindings.iter().find(|binding| binding.id == from.binding);
            let outputs = binding.map_or(&[][..], |binding| &binding.outputs);
            let values = outputs.iter().map(|output| score_value(row, output.column)).collect();
            v1::Score { binding: from.binding.0, model_version: from.model_version, values }
        })
        .collect()
}

fn score_value(row: RowRef<'_>, column: usize) -> v1::ScoreValue {
    let value = match row.value(column) {
        Scalar::F32(value) => Some(Value::F32(value)),
        Scalar::F64(value) => Some(Value::F64(value)),
        Scalar::I32(value) => Some(Value::Int(value.into())),
        Scalar::I64(value) => Some(Value::Int(value)),
        Scalar::Bool(value) => Some(Value::Bool(value)),
        Scalar::Str(value) => Some(Value::Str(value.to_string())),
        // No score column holds these.
        Scalar::Null | Scalar::Bytes(_) | Scalar::Timestamp(_) | Scalar::Vector(_) => None,
    };
    v1::ScoreValue { column: column as u32, value }
}

/// The name and value of each score column that a binding has written into the row.
pub(super) fn named_scores<'a>(
    schema: &'a Schema,
    row: RowRef<'a>,
    binding: &'a crate::binding::Compiled,
) -> impl Iterator<Item = (&'a str, Scalar<'a>)> {
    binding.outputs.iter().filter_map(move |output| {
        let column = schema.columns().get(output.column)?;
        Some((column.name.as_str(), row.value(output.column)))
    })
}
