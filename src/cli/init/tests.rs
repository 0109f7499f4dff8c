use super::{features::Found, scores::Score, table::Key, *};
use crate::{
    binding,
    catalog::{
        BindingFile, Catalogue, Command, Founding, Manifest, ModelVersion, Node, OutputKind, OutputSignature,
    },
    cli::rows::{Format, Shape, read_path},
    model::{self, DType, Dim, Port},
    row::{Kind, RowRef, schema_file},
    scoring::kind_of,
    types::{Digest, KeyKind, NodeId},
};

const ROWS: &str = "\u{feff}id,a,flag,Mean Size,when,note,target\r\n\
    1,1.5,true,10,2024-01-01T00:00:00Z,x,0\r\n\
    2,,false,20,2024-01-02T00:00:00Z,,1\r\n\
    3,2.5,true,30,2024-01-02T00:00:00Z,z,1\r\n";

fn table(text: &'static str, key: Option<&str>) -> Table {
    Table::parse(text.as_bytes(), "things", key).unwrap()
}

fn port(name: &str, dtype: DType, width: usize) -> Port {
    Port { name: name.into(), dtype, shape: vec![Dim::Named("N".into()), Dim::Fixed(width)], labels: None }
}

fn found(table: &Table, ports: &[Port]) -> Vec<(Vec<String>, Found)> {
    let features = Features::find(table, ports).unwrap();
    features.inputs.into_iter().map(|input| (input.columns, input.found)).collect()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn columns_are_typed_by_their_cells() {
    let table = table(ROWS, None);
    assert_eq!(table.key, Key::Column { name: "id".into(), kind: KeyKind::I64 });
    assert_eq!(table.rows, 3);
    let seen: Vec<_> = table.columns.iter().map(|c| (c.name.as_str(), c.kind(), c.summary())).collect();
    assert_eq!(
        seen,
        [
            ("a", Kind::F64, "1.5 to 2.5, 1 empty".to_owned()),
            ("flag", Kind::Bool, String::new()),
            ("Mean Size", Kind::I64, "10 to 30".to_owned()),
            ("when", Kind::Timestamp, String::new()),
            ("note", Kind::Str, "1 empty".to_owned()),
            ("target", Kind::I64, "0 to 1".to_owned()),
        ]
    );
}

#[test]
fn the_key_is_a_column_that_tells_rows_apart() {
    let key = |text| table(text, None).key;
    let column = |name: &str, kind| Key::Column { name: name.into(), kind };
    assert_eq!(key("x,thing_id\n1,a\n2,b\n"), column("thing_id", KeyKind::Str));
    assert_eq!(key("customer_id,thing_id\n1,a\n2,b\n"), column("thing_id", KeyKind::Str));
    assert_eq!(key("order_id,x\n1,1\n2,1\n"), column("order_id", KeyKind::I64));
    assert_eq!(key("id,x\n1,1\n1,2\n"), Key::Made);
    assert_eq!(key("id,x\n1,1\n,2\n"), Key::Made);
    assert_eq!(key("a,b\n1,2\n3,4\n"), Key::Made);
    assert_eq!(key("paid,b\n1,2\n3,4\n"), Key::Made);
    assert_eq!(table("a,b\nx,2\ny,4\n", Some("a")).key, column("a", KeyKind::Str));
    let refusal = |text: &str, key| Table::parse(text.as_bytes(), "t", key).unwrap_err().to_string();
    assert_eq!(
        refusal("alpha,b\n1,2\n", Some("alhpa")),
        "the header has no column `alhpa` (did you mean `--key alpha`?)"
    );
    assert_eq!(refusal("a,b\n", None), "there are no rows under the header");
    assert!(refusal("a,b\n1,2\n1,2,3\n", None).contains("line: 3"));
}

#[test]
fn columns_that_no_schema_takes_are_left_out() {
    let table = table("id,this,x,x,__y\n1,2,3,4,5\n", None);
    assert_eq!(table.columns.len(), 1);
    assert_eq!(table.ignored, ["this", "x", "__y"]);
}

#[test]
fn features_are_found_by_name_then_by_order() {
    let table = table(ROWS, None);
    let single = |name| port(name, DType::F32, 1);
    assert_eq!(
        found(&table, &[single("mean_size"), single("A")]),
        [(names(&["Mean Size"]), Found::ByName), (names(&["a"]), Found::ByName)]
    );
    assert_eq!(
        found(&table, &[port("X", DType::F32, 4)]),
        [(names(&["a", "flag", "Mean Size", "target"]), Found::ByOrder)]
    );
    assert_eq!(
        found(&table, &[port("X", DType::F32, 3)]),
        [(names(&["a", "flag", "Mean Size"]), Found::First)]
    );
    assert_eq!(
        found(&table, &[port("X", DType::F32, 2), single("flag")]),
        [(names(&["a", "Mean Size"]), Found::First), (names(&["flag"]), Found::ByName)]
    );
    let open = Port { shape: vec![Dim::Unknown, Dim::Unknown], ..port("X", DType::F32, 1) };
    assert_eq!(found(&table, &[open]), [(names(&["a", "flag", "Mean Size"]), Found::First)]);
    let refusal = |port: Port| Features::find(&table, &[port]).unwrap_err().message.into_owned();
    assert_eq!(
        refusal(port("X", DType::F32, 9)),
        "the model takes 9 numbers a row, the file has 4 columns of numbers beside the key `id`"
    );
    assert_eq!(refusal(port("X", DType::Str, 1)), "the input `X` takes str");
}

fn output(name: &str, kind: OutputKind, elements: &[&str]) -> OutputSignature {
    OutputSignature { name: name.into(), kind, elements: names(elements) }
}

fn chosen(outputs: &[OutputSignature]) -> std::result::Result<Vec<(String, String, bool)>, String> {
    let scores = Scores::choose(&table(ROWS, None), outputs).map_err(|error| error.message.into_owned())?;
    Ok(scores
        .columns
        .into_iter()
        .map(|Score { name, element, stored, .. }| (name, element, stored))
        .collect())
}

#[test]
fn scores_are_the_numbers_that_the_model_gives() {
    let score = |name: &str, element: &str, stored| (name.to_owned(), element.to_owned(), stored);
    let label = || output("output_label", OutputKind::I64, &["0"]);
    assert_eq!(
        chosen(&[label(), output("probabilities", OutputKind::F32, &["0", "1"])]).unwrap(),
        [
            score("output_label", "output_label", false),
            score("probabilities_0", "probabilities[0]", false),
            score("probabilities_1", "probabilities[1]", true),
        ]
    );
    assert_eq!(
        chosen(&[output("p", OutputKind::F32, &["good", "target", "so so"])]).unwrap(),
        [
            score("good", "p.good", true),
            score("score_target", "p.target", true),
            score("so_so", "p.so so", true)
        ]
    );
    assert_eq!(
        chosen(&[output("p", OutputKind::F32, &["3", "5", "7"])]).unwrap()[1],
        score("p_5", "p.5", true)
    );
    assert_eq!(
        chosen(&[output("variable", OutputKind::F32, &["0"])]).unwrap(),
        [score("prediction", "variable", true)]
    );
    assert_eq!(
        chosen(&[output("variable", OutputKind::F32, &["0", "1"])]).unwrap(),
        [score("variable_0", "variable[0]", true), score("variable_1", "variable[1]", true)]
    );
    assert_eq!(chosen(&[label()]).unwrap(), [score("output_label", "output_label", true)]);
    let many = OutputSignature { elements: vec!["x".into(); 512], ..label() };
    assert_eq!(
        chosen(&[many]),
        Err("no output of the model can be a score: for one row `output_label` gives 512".into())
    );
}

/// The files for these rows and a classifier of this many features.
fn write(text: &'static str, width: usize) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let rows = folder.path().join("in.csv");
    std::fs::write(&rows, text).unwrap();
    let table = Table::read(&rows, "things", None).unwrap();
    let features = Features::find(&table, &[port("X", DType::F32, width)]).unwrap();
    let outputs = [output("label", OutputKind::I64, &["0"]), output("p", OutputKind::F32, &["no", "yes"])];
    let scores = Scores::choose(&table, &outputs).unwrap();
    let sketch = Sketch {
        map: "things",
        model: "m",
        model_bytes: b"model",
        format: model::Format::Onnx,
        rows: &rows,
        table: &table,
        features: &features,
        scores: &scores,
    };
    let written = files::write(&sketch, &folder.path().join("out")).unwrap();
    assert!(
        files::write(&sketch, &folder.path().join("out")).unwrap_err().message.contains("is there already")
    );
    (folder, written)
}

#[test]
fn the_files_say_what_their_readers_read() {
    let (_folder, written) = write(ROWS, 3);
    let read = |at: usize| std::fs::read_to_string(&written[at]).unwrap();
    let file = schema_file::parse("s", &read(0)).unwrap();
    assert_eq!(
        (file.map.as_str(), file.key_name.as_deref(), file.key_kind),
        ("things", Some("id"), Some(KeyKind::I64))
    );
    let schema = file.schema.unwrap();
    let columns: Vec<_> = schema.columns().iter().map(|c| (c.name.as_str(), c.kind, c.nullable)).collect();
    assert_eq!(
        columns,
        [
            ("a", Kind::F64, true),
            ("flag", Kind::Bool, false),
            ("Mean Size", Kind::I64, false),
            ("when", Kind::Timestamp, true),
            ("note", Kind::Str, true),
            ("target", Kind::I64, true),
            ("yes", Kind::F32, true),
        ]
    );
    assert_eq!(read(1), "model");
    let manifest = Manifest::parse("m", &read(2)).unwrap();
    assert_eq!(manifest.inputs[0].features, ["a", "flag", "Mean Size"]);
    assert_eq!(manifest.outputs[0].labels, ["no", "yes"]);
    assert!(read(2).contains("GUESSED"));
    let binding = BindingFile::parse("b", &read(3)).unwrap();
    assert_eq!(binding.outputs.into_iter().collect::<Vec<_>>(), [("yes".to_owned(), "p.yes".to_owned())]);
    assert_eq!(written.len(), 4);
}

#[test]
fn rows_without_a_key_are_numbered() {
    let (_folder, written) = write("\u{feff}a,b\n1,\"x, y\"\n2,z\n", 1);
    let rows = std::fs::read_to_string(&written[4]).unwrap();
    assert_eq!(rows, "id,a,b\n1,1,\"x, y\"\n2,2,z\n");
    assert!(std::fs::read_to_string(&written[0]).unwrap().contains("rows.csv is a copy that numbers them"));
}

#[test]
fn words_are_quoted_for_a_shell() {
    assert_eq!(quoted("models/a-1.onnx"), "models/a-1.onnx");
    assert_eq!(quoted("my file's"), r"'my file'\''s'");
    assert_eq!(quoted(""), "''");
}

/// Every bundled model and its data: what `init` writes for them binds as it is.
#[test]
fn bundled_models_bind_without_an_edit() {
    for (model, rows, scores) in [
        ("models/breast-cancer/1/model.onnx", "models/breast-cancer/data.csv", 1),
        ("models/digits/1/model.onnx", "models/digits/data.csv", 10),
        ("models/digits-burn/1/model.safetensors", "models/digits/data.csv", 10),
    ] {
        let format = model::Format::of(model.as_ref());
        let model = std::fs::read(model).unwrap();
        let loaded = Model::load(&model, format, &Options::default()).unwrap();
        let rows = Path::new(rows);
        let table = Table::read(rows, "things", None).unwrap();
        assert_eq!(table.key, Key::Column { name: "id".into(), kind: KeyKind::I64 });
        let features = Features::find(&table, loaded.inputs()).unwrap();
        let signature = Signature::of(&loaded, Some(&features.manifest("m", format))).unwrap();
        let chosen = Scores::choose(&table, &signature.outputs).unwrap();
        assert_eq!(chosen.columns.iter().filter(|score| score.stored).count(), scores);
        let sketch = Sketch {
            map: "things",
            model: "m",
            model_bytes: &model,
            format,
            rows,
            table: &table,
            features: &features,
            scores: &chosen,
        };
        bind(&sketch, &loaded);
    }
}

/// Creates the map, adds the model and applies the binding, as a cluster would.
fn bind(sketch: &Sketch<'_>, model: &Model) {
    let manifest = Manifest::parse("m", &sketch.manifest()).unwrap();
    let Signature { inputs, outputs } = Signature::of(model, Some(&manifest)).unwrap();
    let version = ModelVersion {
        name: manifest.name,
        version: 1,
        digest: Digest::of(sketch.model_bytes),
        kind: kind_of(sketch.format),
        bytes: 1,
        inputs,
        outputs,
    };
    let node = Node { id: NodeId(1), name: "a".into(), address: "a:1".into(), peer_address: "a:2".into() };
    let mut catalogue = Catalogue::default();
    for command in [
        Command::Found(Founding::alone(5, 3, node)),
        Command::CreateMap(schema_file::parse("s", &sketch.schema()).unwrap()),
        Command::AddModel { version: version.clone(), alias: Some("champion".into()) },
        Command::ApplyBinding(BindingFile::parse("b", &sketch.binding()).unwrap()),
    ] {
        catalogue.apply(&command).unwrap();
    }
    let map = catalogue.map("things").unwrap();
    let binding = catalogue.bindings().next().unwrap();
    let compiled = binding::compile(binding, map, &version).unwrap();
    let schema = map.schema().unwrap();
    let shape = Shape {
        schema: schema.clone(),
        key: sketch.table.key.name().to_owned(),
        key_kind: map.key_kind,
        ignored: sketch.table.ignored.clone(),
    };
    let mut features = binding::Features::new(&compiled);
    for line in read_path(sketch.rows, Format::Csv, &shape).unwrap() {
        let line = line.unwrap();
        compiled.gather(&RowRef::new(schema, &line.row).unwrap(), &line.key, &mut features).unwrap();
    }
    assert_eq!(features.rows as u64, sketch.table.rows);
}
