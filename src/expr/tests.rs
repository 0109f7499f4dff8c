//! The language, by example.

use proptest::{collection::vec, prelude::*, sample::select};

use super::{Expr, Predicate, Scope, Source, Update, Value};
use crate::{
    row::{Builder, Column, Kind, RowRef, Scalar, Schema, VectorRef, Writer, to_json, with_scores},
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
fn values() {
    for (text, expected) in [
        // Literals, names, key.
        ("1", "1"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9223372036854775808", "9223372036854776000"),
        (".5e1", "5"),
        ("'it''s'", "\"it's\""),
        ("X'00ff' = blob", "true"),
        ("NULL", "null"),
        ("__key", "42"),
        ("__key + 1", "43"),
        ("\"mean radius\" / 2", "7"),
        ("TIMESTAMP '1970-01-01T00:00:01Z'", "1970-01-01T00:00:01Z"),
        // Arithmetic.
        ("1 + 2 * 3 - 4", "3"),
        ("(1 + 2) * 3", "9"),
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("-7 % 3", "-1"),
        ("7 / 2.0", "3.5"),
        ("small / 2", "3"),
        ("small + double", "9.5"),
        ("- small", "-7"),
        ("1.0 / 0", "inf"),
        ("0.0 / zero", "NaN"),
        ("small + absent", "null"),
        ("at - TIMESTAMP '2024-02-29T23:59:58Z'", "250"),
        ("at + 750", "2024-02-29T23:59:59Z"),
        ("name || '!' ", "\"Ann!\""),
        ("name || gone", "null"),
        // Comparison.
        ("small = 7", "true"),
        ("small <> 7", "false"),
        ("small != 8", "true"),
        ("small >= 7.0", "true"),
        ("big > 1e12", "true"),
        ("double <= 2.5", "true"),
        ("name < 'B'", "true"),
        ("flag = TRUE", "true"),
        ("absent = 1", "null"),
        ("absent <> absent", "null"),
        ("nan = nan", "false"),
        ("nan <> nan", "true"),
        ("nan > 0", "false"),
        ("at > '2024-02-29T00:00:00Z'", "true"),
        ("'2024-02-29T00:00:00+01:00' < at", "true"),
        ("at = 1709251198250", "true"),
        // An f32 is found as it was written.
        ("single = 0.1", "true"),
        ("0.1 = single", "true"),
        ("score >= 0.9", "true"),
        ("score > 0.9", "false"),
        ("single IN (0.1, 0.2)", "true"),
        ("single BETWEEN 0.1 AND 0.1", "true"),
        ("single * 1.0 = 0.1", "false"),
        // Three-valued logic.
        ("flag AND absent > 0", "null"),
        ("NOT flag AND absent > 0", "false"),
        ("flag OR absent > 0", "true"),
        ("NOT flag OR absent > 0", "null"),
        ("NOT (absent > 0)", "null"),
        ("NULL AND FALSE", "false"),
        ("NULL OR TRUE", "true"),
        ("absent > 0 IS NULL", "true"),
        ("absent IS NULL AND small IS NOT NULL", "true"),
        ("(absent > 0) IS NOT TRUE", "true"),
        ("(absent > 0) IS FALSE", "false"),
        ("embedding IS NOT NULL", "true"),
        // Membership.
        ("small IN (1, 7)", "true"),
        ("small NOT IN (1, 7)", "false"),
        ("small IN (1, NULL)", "null"),
        ("small NOT IN (1, NULL)", "null"),
        ("small NOT IN (7, NULL)", "false"),
        ("name IN ('Ann', 'Bob')", "true"),
        ("small BETWEEN 7 AND 9", "true"),
        ("small NOT BETWEEN 7 AND 9", "false"),
        ("absent BETWEEN 1 AND 2", "null"),
        // Text.
        ("name LIKE 'A%'", "true"),
        ("name LIKE 'a%'", "false"),
        ("name ILIKE 'a__'", "true"),
        ("name NOT LIKE '%n'", "false"),
        ("'50%' LIKE '50!%' ESCAPE '!'", "true"),
        ("gone LIKE '%'", "null"),
        ("LENGTH('zwölf')", "5"),
        ("LENGTH(blob)", "2"),
        ("LOWER(name) || UPPER(name)", "\"annANN\""),
        // Choice.
        ("CASE WHEN small > 5 THEN 'many' ELSE 'few' END", "\"many\""),
        ("CASE WHEN absent > 5 THEN 'many' ELSE 'few' END", "\"few\""),
        ("CASE WHEN small > 9 THEN 1 END", "null"),
        ("CASE small WHEN 1 THEN 10 WHEN 7 THEN 70 END", "70"),
        ("CASE WHEN flag THEN 1 ELSE 2.5 END / 2", "0.5"),
        ("COALESCE(absent, double)", "2.5"),
        ("COALESCE(small, 0.5) / 2", "3.5"),
        ("COALESCE(gone, absent IS NULL)", "text and bool cannot be results of one expression at column 16"),
        ("NULLIF(small, 7)", "null"),
        ("NULLIF(small, 8)", "7"),
        ("LEAST(3, small, absent)", "3"),
        ("GREATEST(3, small, absent)", "7"),
        ("GREATEST(small, 7.5)", "7.5"),
        ("LEAST(1.0, nan, 2.0)", "NaN"),
        // Functions.
        ("ABS(-3)", "3"),
        ("ABS(-2.5)", "2.5"),
        ("CEIL(2.1)", "3"),
        ("CEILING(small)", "7"),
        ("FLOOR(-2.1)", "-3"),
        ("ROUND(2.5)", "3"),
        ("ROUND(-2.5)", "-3"),
        ("ROUND(2.345, 2)", "2.35"),
        ("ROUND(1234, -2)", "1200"),
        ("ROUND(1e300, 300) = 1e300", "true"),
        ("SQRT(16)", "4"),
        ("SQRT(-1)", "NaN"),
        ("POWER(2, 10)", "1024"),
        ("EXP(0)", "1"),
        ("LN(EXP(2))", "2"),
        ("LN(0)", "-inf"),
        ("LOG10(1000)", "3"),
        ("LOG2(8)", "3"),
        ("SIGN(-7)", "-1"),
        ("SIN(0) + COS(0) + TAN(0)", "1"),
        ("EXP(absent)", "null"),
        // Casts.
        ("CAST(flag AS INT)", "1"),
        ("CAST(2.9 AS INT)", "2"),
        ("CAST(-2.9 AS BIGINT)", "-2"),
        ("CAST('12' AS INT) + 1", "13"),
        ("CAST('1.5' AS DOUBLE)", "1.5"),
        ("CAST(0.1 AS REAL) = single", "true"),
        ("CAST(small AS VARCHAR) || ''", "\"7\""),
        ("CAST('2024-01-01T00:00:00Z' AS TIMESTAMP) < at", "true"),
        ("CAST(at AS BIGINT)", "1709251198250"),
        ("small::DOUBLE / 2", "3.5"),
        ("TRY_CAST(name AS INT)", "null"),
        // Time.
        ("EXTRACT(HOUR FROM at)", "23"),
        ("EXTRACT(DOW FROM at)", "4"),
        ("EXTRACT(EPOCH FROM at)", "1709251198.25"),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn faults() {
    for (text, expected) in [
        (
            "small / zero",
            "in `small / zero` an integer is divided by zero (NULLIF(divisor, 0) makes the result null instead)",
        ),
        (
            "small % zero",
            "in `small % zero` an integer is divided by zero (NULLIF(divisor, 0) makes the result null instead)",
        ),
        ("9223372036854775807 + small", "in `9223372036854775807 + small` an integer overflows"),
        ("- (-9223372036854775808 - zero)", "in `- (-9223372036854775808 - zero)` an integer overflows"),
        ("ABS(-9223372036854775808)", "in `ABS(-9223372036854775808)` an integer overflows"),
        ("CAST(big AS INT)", "in `CAST(big AS INT)` an integer overflows"),
        ("CAST(nan AS INT)", "in `CAST(nan AS INT)` an integer overflows"),
        (
            "CAST(name AS INT)",
            "in `CAST(name AS INT)` a value is not an integer (TRY_CAST makes the result null instead)",
        ),
        ("small / NULLIF(zero, 0)", "null"),
        ("CASE WHEN zero = 0 THEN 0 ELSE small / zero END", "0"),
        ("zero <> 0 AND small / zero > 1", "false"),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn refusals_name_place_and_nearest_name() {
    for (text, expected) in [
        ("", "the expression is empty"),
        ("   ", "the expression is empty"),
        ("small > ", "Expected: an expression, found: EOF"),
        ("small 7", "unexpected `7` at column 7"),
        ("small > 7;", "unexpected `;` at column 10"),
        ("'open", "Unterminated string literal at column 1"),
        ("1 + smal", "there is no column `smal` at column 5 (did you mean `small`?)"),
        ("1 +\n  smal", "there is no column `smal` at line 2, column 3 (did you mean `small`?)"),
        ("sqr(small)", "there is no function `sqr` at column 1 (did you mean `sqrt`?)"),
        ("SQRT(name)", "sqrt takes one number at column 1"),
        ("SQRT(1, 2)", "sqrt takes one number at column 1"),
        ("POWER(2)", "power takes two numbers at column 1"),
        ("NULLIF(2)", "nullif takes two values at column 1"),
        ("COALESCE()", "coalesce takes one value at least at column 1"),
        ("name + 1", "there is no arithmetic of text and integer at column 1"),
        ("flag + 1", "there is no arithmetic of bool and integer at column 1"),
        ("NOT small", "NOT takes no integer at column 5"),
        ("small AND flag", "expected a condition, not integer at column 1"),
        ("flag = 1", "bool cannot be compared with integer at column 1 (compare with TRUE or FALSE)"),
        (
            "name = 5",
            "text cannot be compared with integer at column 1 (numbers stand without quotes, text in single quotes)",
        ),
        ("embedding = embedding", "vector cannot be compared with vector at column 1"),
        (
            "at > 'May'",
            "'May' is not a timestamp at column 6 (timestamps are RFC 3339, for example '2024-01-31T12:00:00Z')",
        ),
        ("name LIKE gone", "the pattern of LIKE must be a literal at column 11"),
        ("small LIKE 'x'", "LIKE takes text, not integer at column 1"),
        (
            "CAST(small AS DATE)",
            "there is no cast to DATE at column 6 (casts go to BOOLEAN, SMALLINT, INT, BIGINT, REAL, DOUBLE, VARCHAR and TIMESTAMP)",
        ),
        ("CAST(embedding AS INT)", "vector cannot be cast to INT at column 6"),
        (
            "EXTRACT(CENTURY FROM at)",
            "EXTRACT knows no CENTURY at column 22 (it knows YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, DOW, ISODOW, DOY and EPOCH)",
        ),
        ("EXTRACT(HOUR FROM small)", "EXTRACT takes a timestamp, not integer at column 19"),
        ("COUNT(*)", "arguments of functions are expressions"),
        ("SUM(DISTINCT small)", "functions over many rows are not supported at column 1"),
        ("EXISTS (SELECT 1)", "this kind of expression is not supported"),
        ("small IN (SELECT 1)", "this kind of expression is not supported at column 1"),
        ("a.b", "this kind of expression is not supported at column 1"),
        ("small & 1", "the operator & is not supported at column 1"),
        ("1e999", "`1e999` is no number that fits at column 1"),
        ("X'0' = blob", "X'0' is not hexadecimal at column 1"),
        ("this", "`this` is the value of a plain map at column 1 (this map has columns: name one of them)"),
    ] {
        assert_eq!(value(text), expected, "{text}");
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

/// On the stack of a thread as small as a worker's.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn deep_and_long_texts_are_refused_or_evaluated() {
    on_a_small_stack(|| {
        let nested = |open: &str, core: &str, close: &str, times: usize| {
            value(&format!("{}{core}{}", open.repeat(times), close.repeat(times)))
        };
        assert_eq!(nested("(", "small", ")", 30), "7");
        for (open, core, close) in [
            ("(", "1", ")"),
            ("NOT ", "flag", ""),
            ("- ", "small", ""),
            ("ABS(", "small", ")"),
            ("CASE WHEN flag THEN ", "1", " END"),
            ("small IN (", "1", ")"),
            ("small IN ((", "1", "))"),
            ("CAST(", "1", " AS INT)"),
            ("EXTRACT(HOUR FROM ", "at", ")"),
            ("flag AND (", "flag", ")"),
            ("COALESCE(1, (", "1", "))"),
            ("f(a -> ", "1", ")"),
            ("[", "1", "]"),
            ("INTERVAL (", "1", ")"),
            ("SELECT (", "1", ")"),
            ("EXISTS (SELECT ", "1", ")"),
        ] {
            for times in [20, 64, 500, 5_000] {
                let text = nested(open, core, close, times);
                assert!(
                    times < 500
                        || text.contains("limit")
                        || text.contains("deeper")
                        || text.contains("xpected"),
                    "{open}: {text}"
                );
            }
        }
    });
}

#[test]
fn long_chains_are_bounded() {
    on_a_small_stack(|| {
        let chain = |term: &str, op: &str, terms: usize| value(&vec![term; terms].join(op));
        assert_eq!(chain("small = 7", " AND ", 300), "true");
        assert_eq!(chain("small = 8", " OR ", 300), "false");
        assert_eq!(chain("small", " + ", 90), "630");
        assert_eq!(chain("small", "+", 1_000), "the expression nests deeper than 100");
        assert_eq!(chain("small", "+", 2_500), "the expression has 4999 tokens, more than the limit of 4096");
        assert!(chain("small", " + ", 9_000).contains("more than the limit of 16384"));
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in ".{0,60}") {
        value(&text);
    }

    #[test]
    fn no_soup_of_tokens_panics(tokens in vec(select(&TOKENS[..]), 0..24)) {
        value(&tokens.join(" "));
    }
}

const TOKENS: [&str; 44] = [
    "small",
    "big",
    "double",
    "name",
    "at",
    "flag",
    "absent",
    "embedding",
    "1",
    "0",
    "2.5",
    "'a'",
    "NULL",
    "TRUE",
    "+",
    "-",
    "*",
    "/",
    "%",
    "=",
    "<",
    ">=",
    "AND",
    "OR",
    "NOT",
    "(",
    ")",
    ",",
    "IN",
    "BETWEEN",
    "LIKE",
    "IS",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "CAST(",
    "AS INT",
    "EXTRACT(HOUR FROM",
    "COALESCE(",
    "ABS(",
    "||",
    "X'00'",
];
