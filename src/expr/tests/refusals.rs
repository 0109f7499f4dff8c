//! What is no expression.

use super::value;

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
