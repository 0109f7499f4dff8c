//! The language, by example.

mod hostile;
mod refusals;
mod updates;
mod values;

use super::{Expr, Predicate, Scope, Source, Value};
use crate::{
    row::{Builder, Column, Kind, RowRef, Scalar, Schema, VectorRef, Writer},
    types::{KeyKind, KeyRef, SchemaId, Timestamp},
};

fn schema() -> Schema {
    Schema::new(
        SchemaId(1),
        vec![
            Column::new("flag", Kind::Bool).nullable(),
            Column::new("small", Kind::I32).nullable().range(-1000.0, 1000.0),
            Column::new("big", Kind::I64).nullable(),
            Column::new("zero", Kind::I64).nullable(),
            Column::new("single", Kind::F32).nullable(),
            Column::new("double", Kind::F64).nullable(),
            Column::new("nan", Kind::F64).nullable(),
            Column::new("name", Kind::Str).nullable(),
            Column::new("blob", Kind::Bytes).nullable(),
            Column::new("at", Kind::Timestamp).nullable(),
            Column::new("embedding", Kind::Vector(2)).nullable(),
            Column::new("absent", Kind::F64).nullable(),
            Column::new("gone", Kind::Str).nullable(),
            Column::new("mean radius", Kind::F64).nullable(),
            Column::score("score", Kind::F32),
        ],
    )
    .unwrap()
}

/// flag true, small 7, big 2^40, zero 0, single 0.1, double 2.5, nan NaN, name 'Ann', blob X'00FF',
/// at 2024-02-29T23:59:58.250Z, "mean radius" 14, score 0.9; absent and gone are null.
fn row(schema: &Schema) -> Vec<u8> {
    let mut builder = Builder::of(schema, Writer::Grid);
    for (name, value) in [
        ("flag", Scalar::Bool(true)),
        ("small", Scalar::I32(7)),
        ("big", Scalar::I64(1 << 40)),
        ("zero", Scalar::I64(0)),
        ("single", Scalar::F32(0.1)),
        ("double", Scalar::F64(2.5)),
        ("nan", Scalar::F64(f64::NAN)),
        ("name", Scalar::Str("Ann")),
        ("blob", Scalar::Bytes(&[0, 255])),
        ("at", Scalar::Timestamp(Timestamp(1_709_251_198_250))),
        ("embedding", Scalar::Vector(VectorRef::from_le_bytes(&[0; 8]))),
        ("mean radius", Scalar::F64(14.0)),
        ("score", Scalar::F32(0.9)),
    ] {
        builder.set_named(name, value).unwrap();
    }
    builder.finish().unwrap()
}

/// The value as text, or the refusal.
fn value(text: &str) -> String {
    let schema = schema();
    let bytes = row(&schema);
    let source = Source::row(RowRef::new(&schema, &bytes).unwrap(), KeyRef::I64(42));
    let expr = match Expr::parse(text, &Scope::feature(&schema, Some(KeyKind::I64))) {
        Ok(expr) => expr,
        Err(error) => return error.to_string(),
    };
    match expr.eval(&source) {
        Ok(value) => value.scalar().to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn plain_maps_have_key_and_this() {
    let value = |text: &str, kind, key| {
        let expr = Expr::parse(text, &Scope::plain(kind)).map_err(|error| error.to_string())?;
        let value = expr.eval(&Source::plain(b"hello", key)).map_err(|error| error.to_string())?;
        Ok(value.scalar().to_string())
    };
    for (text, kind, key, expected) in [
        ("this = 'hello'", None, KeyRef::I64(1), Ok("true")),
        ("LENGTH(this)", None, KeyRef::I64(1), Ok("5")),
        ("CAST(this AS VARCHAR) LIKE 'h%'", None, KeyRef::I64(1), Ok("true")),
        ("__key = '17'", None, KeyRef::I64(17), Ok("true")),
        ("__key = 17", Some(KeyKind::I64), KeyRef::I64(17), Ok("true")),
        ("__key LIKE 'user:%'", Some(KeyKind::Str), KeyRef::Str("user:1"), Ok("true")),
        ("__key = X'01'", Some(KeyKind::Bytes), KeyRef::Bytes(&[1]), Ok("true")),
        (
            "amount > 1",
            None,
            KeyRef::I64(1),
            Err("there is no `amount` at column 1 (a plain map has `__key`, and `this` for the value)"),
        ),
    ] {
        assert_eq!(value(text, kind, key), expected.map(String::from).map_err(String::from), "{text}");
    }
}

#[test]
fn predicates_match_only_what_is_true() {
    let schema = schema();
    let bytes = row(&schema);
    let source = Source::row(RowRef::new(&schema, &bytes).unwrap(), KeyRef::I64(42));
    let scope = Scope::feature(&schema, Some(KeyKind::I64));
    for (text, expected) in [
        ("small = 7", true),
        ("small = 8", false),
        ("absent = 1", false),
        ("NULL", false),
        ("1 / zero = 1", false),
    ] {
        assert_eq!(Predicate::parse(text, &scope).unwrap().matches(&source), expected, "{text}");
    }
    assert_eq!(
        Predicate::parse("score", &scope).unwrap_err().to_string(),
        "`score` is float, not a condition (compare it with something, for example `score > 0.9`)"
    );
    let columns: Vec<_> =
        Predicate::parse("double > small OR double < 0", &scope).unwrap().columns().collect();
    assert_eq!(columns, [1, 5]);
}

#[test]
fn a_row_of_another_schema_is_refused() {
    let (schema, mut columns) = (schema(), schema().columns().to_vec());
    columns.insert(0, Column::new("new", Kind::I64).nullable());
    let newer = schema.evolve(SchemaId(2), columns).unwrap();
    let bytes = row(&schema);
    let source = Source::row(RowRef::new(&newer, &bytes).unwrap(), KeyRef::I64(42));
    let expr = Expr::parse("small", &Scope::feature(&schema, None)).unwrap();
    assert_eq!(
        expr.eval(&source).unwrap_err().message,
        "`small` was parsed for another schema than the row's"
    );
    let expr = Expr::parse("small", &Scope::feature(&newer, None)).unwrap();
    assert_eq!(expr.eval(&source), Ok(Value::Int(7)));
}
