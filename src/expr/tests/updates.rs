//! Updates.

use super::{row, schema};
use crate::{
    expr::Update,
    row::{RowRef, Scalar, Writer, to_json, with_scores},
    types::{KeyKind, KeyRef},
};

#[test]
fn updates_see_the_row_as_it_was() {
    let schema = schema();
    let bytes = row(&schema);
    let row = RowRef::new(&schema, &bytes).unwrap();
    let update = Update::parse(
        "SET small = big / big + small, big = small, name = NULL, at = '2024-01-01T00:00:00Z', absent = __key",
        &schema,
        Some(KeyKind::I64),
    )
    .unwrap();
    let updated = update.apply(row, KeyRef::I64(42)).unwrap();
    let after = RowRef::new(&schema, &updated).unwrap();
    crate::row::check(&schema, after, Writer::Client).unwrap();
    let (before, after) = (to_json(row), to_json(after));
    for (name, value) in &before {
        let expected = match name.as_str() {
            "small" => "8".into(),
            "big" => "7".into(),
            "absent" => "42.0".into(),
            "name" | "score" => "null".into(),
            "at" => "\"2024-01-01T00:00:00Z\"".into(),
            _ => value.to_string(),
        };
        assert_eq!(after[name].to_string(), expected, "{name}");
    }
    let rescored = with_scores(&schema, &updated, &[(14, Scalar::F32(0.5))]).unwrap();
    assert_eq!(RowRef::new(&schema, &rescored).unwrap().value(14), Scalar::F32(0.5));
}

#[test]
fn updates_are_refused_with_the_place() {
    let schema = schema();
    let bytes = row(&schema);
    let refusal = |text: &str| match Update::parse(text, &schema, None) {
        Err(error) => error.to_string(),
        Ok(update) => {
            update.apply(RowRef::new(&schema, &bytes).unwrap(), KeyRef::I64(1)).unwrap_err().to_string()
        }
    };
    for (text, expected) in [
        ("small = 1", "an update starts with SET, not `small` (write for example `SET a = a + 1, b = 0`)"),
        ("SET smal = 1", "there is no column `smal` at column 5 (did you mean `small`?)"),
        ("SET small 1", "Expected: =, found: 1 at column 11"),
        ("SET small = 1, small = 2", "the column `small` is set twice at column 16"),
        ("SET score = 1", "the column `score` is a score, which clients cannot write at column 5"),
        ("SET small = 'x'", "the column `small` is i32, not text at column 5"),
        ("SET small = 1 WHERE flag", "unexpected `WHERE` at column 15"),
        ("SET small = 1.5", "SET small: the column `small` is i32: 1.5 is not a whole number"),
        ("SET small = small * 1000", "SET small: the column `small` takes -1000 to 1000, not 7000"),
        (
            "SET small = 1 / zero",
            "in `SET small = 1 / zero` an integer is divided by zero (NULLIF(divisor, 0) makes the result null instead)",
        ),
    ] {
        assert_eq!(refusal(text), expected, "{text}");
    }
}
