use crate::{
    row::{Column, Kind, RowRef, to_json},
    types::{KeyRef, SchemaId},
};

use super::*;

fn shape() -> Shape {
    let columns = vec![
        Column::new("amount", Kind::F64).range(0.0, None),
        Column::new("note", Kind::Str).nullable(),
        Column::new("v", Kind::Vector(2)).nullable(),
        Column::score("fraud", Kind::F32),
    ];
    Shape {
        schema: Arc::new(Schema::new(SchemaId(1), columns).expect("a schema")),
        key: "id".to_owned(),
        key_kind: Some(KeyKind::I64),
        ignored: vec!["extra".to_owned()],
    }
}

/// Each line as `number key row`, or its error with the hint.
fn lines(text: &'static str, format: Format) -> Vec<String> {
    let shape = shape();
    match read(text.as_bytes(), format, &shape) {
        Ok(lines) => lines.map(|line| show(line, &shape.schema)).collect(),
        Err(error) => vec![show(Err(error), &shape.schema)],
    }
}

fn show(line: Parsed, schema: &Schema) -> String {
    match line {
        Ok(line) => {
            let KeyRef::I64(key) = line.key.payload() else { panic!("an i64 key") };
            let row = to_json(RowRef::new(schema, &line.row).expect("a row"));
            format!("{} {key} {}", line.number, serde_json::Value::Object(row))
        }
        Err(error) => format!("{} ({})", error.message, error.hint.unwrap_or_default()),
    }
}

#[test]
fn csv_is_read_by_its_header() {
    let text = "\u{feff}id,amount,extra,note,v_0,v_1\r\n7,1.5,x,\"a, b\",1,2\r\n8,2,,,,\r\n";
    assert_eq!(
        lines(text, Format::Csv),
        [
            r#"2 7 {"amount":1.5,"fraud":null,"note":"a, b","v":[1.0,2.0]}"#,
            r#"3 8 {"amount":2.0,"fraud":null,"note":null,"v":null}"#,
        ]
    );
}

#[test]
fn a_broken_line_is_named_and_the_next_is_read() {
    let text = "id,amount\n1,2\nx,3\n3,oops\n4\n5,-1\n6,7\n";
    let lines = lines(text, Format::Csv);
    assert_eq!(lines[1], "line 3: column `id`: the key \"x\" is not a whole number (the map's keys are i64)");
    assert!(lines[2].starts_with("line 4: the column `amount` is f64, not"), "{}", lines[2]);
    assert_eq!(lines[3], "line 5 has 1 cells, the header 2 (is a comma not quoted, or a quote left open?)");
    assert!(lines[4].starts_with("line 6: the column `amount`"), "{}", lines[4]);
    let with_crlf = "id,amount\r\n1,2\r\nx,3\r\n";
    assert!(self::lines(with_crlf, Format::Csv)[1].starts_with("line 3: column `id`"));
    assert_eq!(lines[5], r#"7 6 {"amount":7.0,"fraud":null,"note":null,"v":null}"#);
}

#[test]
fn a_header_that_does_not_fit_is_refused_at_once() {
    for (text, refusal) in [
        ("idd,amount\n", "the header has no column `id` for the key (did you mean `--key idd`?)"),
        (
            "id,amuont\n",
            "the map has no column `amuont` (did you mean `amount`? Or leave it out with `--ignore-columns amuont`)",
        ),
        (
            "id,amount,fraud\n",
            "the column `fraud` is a score: only the grid writes it (leave it out with `--ignore-columns fraud`)",
        ),
        (
            "id,note\n",
            "the header has no column `amount` (the map's schema requires it; `nullable = true` would make it optional)",
        ),
        ("id,amount,amount\n", "the header has two columns `amount` ()"),
        ("id,amount,v_0\n", "the header has 1 elements of the column `v`, which is vector<f32,2> ()"),
        (
            "id,amount,v_1,v_0\n",
            "the column `v_1` is out of order (the elements of a vector stand in order, from _0)",
        ),
    ] {
        assert_eq!(lines(text, Format::Csv), [refusal]);
    }
}

#[test]
fn jsonl_is_read_line_by_line() {
    let text = "{\"id\": 7, \"amount\": 1.5, \"extra\": 1}\n\nnonsense\n{\"amount\": 1}\n{\"id\": 8, \"amount\": 2, \"v\": [1, 2]}";
    let lines = lines(text, Format::Jsonl);
    assert_eq!(lines[0], r#"1 7 {"amount":1.5,"fraud":null,"note":null,"v":null}"#);
    assert!(lines[1].starts_with("line 3: not a JSON object: "), "{}", lines[1]);
    assert_eq!(lines[2], "line 4: there is no `id` for the key ()");
    assert_eq!(lines[3], r#"5 8 {"amount":2.0,"fraud":null,"note":null,"v":[1.0,2.0]}"#);
}

#[test]
fn a_line_without_end_is_refused_before_it_fills_the_memory() {
    let endless = || std::io::Cursor::new(b"id,amount\n1,\"").chain(std::io::repeat(b'x'));
    let mut lines = read(endless(), Format::Csv, &shape()).expect("a header");
    let error = lines.next().expect("a line").expect_err("too long");
    assert!(error.message.contains("more than 8388608 bytes"), "{}", error.message);
    assert!(lines.next().is_none());
    let mut lines = read(std::io::repeat(b'x'), Format::Jsonl, &shape()).expect("no header");
    let error = lines.next().expect("a line").expect_err("too long");
    assert!(error.message.contains("more than 8388608 bytes"), "{}", error.message);
    assert!(lines.next().is_none());
}

#[test]
fn the_name_of_a_file_says_its_format() {
    assert_eq!(Format::of(Path::new("a/b.csv")), Ok(Format::Csv));
    assert_eq!(Format::of(Path::new("b.jsonl")), Ok(Format::Jsonl));
    assert!(Format::of(Path::new("b.txt")).is_err());
}
