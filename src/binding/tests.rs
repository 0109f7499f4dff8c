use std::collections::BTreeMap;

use super::*;
use crate::{
    catalog::{
        Binding, BindingFile, Catalogue, Command, Founding, InputSignature, Map, MapFile, MapKind, ModelKind,
        ModelVersion, Node, NullPolicy, NumberKind, OutputKind, OutputSignature,
    },
    row::{Builder, Column, Kind, RowRef, Scalar, Schema, Writer},
    types::{BindingId, Digest, Key, MapId, NodeId, SchemaId, Timestamp},
};

fn columns() -> Vec<Column> {
    vec![
        Column::new("amount", Kind::F64).nullable(),
        Column::new("count", Kind::I64).nullable(),
        Column::new("ratio", Kind::F32).nullable(),
        Column::new("small", Kind::I32).nullable(),
        Column::new("online", Kind::Bool).nullable(),
        Column::new("at", Kind::Timestamp).nullable(),
        Column::new("embedding", Kind::Vector(3)).nullable(),
        Column::new("country", Kind::Str).nullable(),
        Column::score("risk", Kind::F32),
        Column::score("label", Kind::Str),
        Column::score("class", Kind::I64),
    ]
}

fn map() -> Map {
    let schema = Schema::new(SchemaId(4), columns()).unwrap();
    Map {
        id: MapId(2),
        name: "payments".into(),
        key_name: Some("id".into()),
        key_kind: None,
        kind: MapKind::Feature { schemas: vec![schema.into()] },
    }
}

fn input(name: &str, kind: NumberKind, width: usize, features: &[&str]) -> InputSignature {
    InputSignature {
        name: name.into(),
        kind,
        width,
        features: features.iter().map(|name| (*name).into()).collect(),
        null: NullPolicy::Reject,
    }
}

fn output(name: &str, kind: OutputKind, elements: &[&str]) -> OutputSignature {
    OutputSignature {
        name: name.into(),
        kind,
        elements: elements.iter().map(|name| (*name).into()).collect(),
    }
}

fn model(inputs: Vec<InputSignature>) -> ModelVersion {
    ModelVersion {
        name: "fraud".into(),
        version: 3,
        digest: Digest::of(b"fraud"),
        kind: ModelKind::Onnx,
        bytes: 5,
        inputs,
        outputs: vec![
            output("label", OutputKind::I64, &["0"]),
            output("probabilities", OutputKind::F32, &["honest", "fraud"]),
            output("out.put", OutputKind::Str, &["0", "1"]),
        ],
    }
}

fn file() -> BindingFile {
    let text = "format = 1\nname = \"risk\"\nmap = \"payments\"\nmodel = \"fraud@3\"\n[outputs]\nrisk = \"probabilities.fraud\"\n";
    BindingFile::parse("risk.toml", text).unwrap()
}

fn compiled(file: BindingFile, inputs: Vec<InputSignature>) -> crate::types::Result<Compiled> {
    compile(&Binding { id: BindingId(7), file, map: MapId(2), model_version: 3 }, &map(), &model(inputs))
}

fn row(values: &[(&str, Scalar<'_>)]) -> Vec<u8> {
    let map = map();
    let schema = map.schema().unwrap();
    let mut builder = Builder::of(schema, Writer::Client);
    for (name, value) in values {
        builder.set(schema.require(name).unwrap(), *value).unwrap();
    }
    builder.finish().unwrap()
}

fn gather_into(binding: &Compiled, bytes: &[u8], out: &mut Features) -> crate::types::Result<()> {
    let map = map();
    let row = RowRef::new(map.schema().unwrap(), bytes).unwrap();
    binding.gather(&row, &Key::from(1), out)
}

fn gathered(binding: &Compiled, bytes: &[u8]) -> crate::types::Result<Vec<Matrix>> {
    let mut out = Features::new(binding);
    gather_into(binding, bytes, &mut out)?;
    assert_eq!(out.rows, 1);
    Ok(out.inputs)
}

const ALL: [&str; 6] = ["ratio", "amount", "count", "small", "online", "at"];

fn whole_row() -> Vec<u8> {
    row(&[
        ("amount", Scalar::F64(-2.5)),
        ("count", Scalar::I64(-7)),
        ("ratio", Scalar::F32(0.1)),
        ("small", Scalar::I32(9)),
        ("online", Scalar::Bool(true)),
        ("at", Scalar::Timestamp(Timestamp(1_700_000_000_000))),
        (
            "embedding",
            Scalar::Vector(crate::row::VectorRef::from_le_bytes(&[
                0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0,
            ])),
        ),
    ])
}

#[test]
fn one_matrix_takes_features_in_tensor_order() {
    let binding = compiled(file(), vec![input("X", NumberKind::F32, 6, &ALL)]).unwrap();
    let expected = [0.1, -2.5, -7.0, 9.0, 1.0, 1.7e12];
    assert_eq!(
        gathered(&binding, &whole_row()).unwrap(),
        [Matrix::F32 { columns: 6, data: expected.to_vec() }]
    );
}

#[test]
fn every_input_type_casts() {
    let as_kind = |kind| {
        let binding = compiled(file(), vec![input("X", kind, 6, &ALL)]).unwrap();
        gathered(&binding, &whole_row()).unwrap().remove(0)
    };
    let millis = 1_700_000_000_000_i64;
    assert_eq!(
        as_kind(NumberKind::F64),
        Matrix::F64 { columns: 6, data: vec![f64::from(0.1_f32), -2.5, -7.0, 9.0, 1.0, millis as f64] }
    );
    assert_eq!(as_kind(NumberKind::I64), Matrix::I64 { columns: 6, data: vec![0, -2, -7, 9, 1, millis] });
    assert_eq!(
        as_kind(NumberKind::I32),
        Matrix::I32 { columns: 6, data: vec![0, -2, -7, 9, 1, millis as i32] }
    );
    assert_eq!(as_kind(NumberKind::Bool), Matrix::Bool { columns: 6, data: vec![true; 6] });
}

#[test]
fn named_scalars_are_inputs_of_one_column() {
    let inputs = vec![
        input("count", NumberKind::I64, 1, &["count"]),
        input("amount", NumberKind::F32, 1, &["amount"]),
    ];
    let binding = compiled(file(), inputs).unwrap();
    let mut out = Features::new(&binding);
    gather_into(&binding, &whole_row(), &mut out).unwrap();
    gather_into(&binding, &row(&[("count", Scalar::I64(3)), ("amount", Scalar::F64(1.5))]), &mut out)
        .unwrap();
    let expected =
        [Matrix::I64 { columns: 1, data: vec![-7, 3] }, Matrix::F32 { columns: 1, data: vec![-2.5, 1.5] }];
    assert_eq!((out.rows, &out.inputs[..]), (2, &expected[..]));
    out.clear();
    assert_eq!(out, Features::new(&binding));
}

#[test]
fn a_vector_column_gives_all_its_elements() {
    let inputs = || vec![input("X", NumberKind::F32, 4, &["embedding", "small"])];
    let binding = compiled(file(), inputs()).unwrap();
    assert_eq!(
        gathered(&binding, &whole_row()).unwrap(),
        [Matrix::F32 { columns: 4, data: vec![1.0, -2.0, 0.0, 9.0] }]
    );
    let mut narrow = inputs();
    narrow[0].width = 5;
    assert_eq!(
        compiled(file(), narrow).unwrap_err().to_string(),
        "binding `risk`: input `X` takes 5 elements a row, its 2 features give 4 (a number gives one element, a \
         vector column as many as it has)"
    );
}

fn with_features(features: &[(&str, &str)], inputs: Vec<InputSignature>) -> crate::types::Result<Compiled> {
    let features = features.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
    compiled(BindingFile { features, ..file() }, inputs)
}

#[test]
fn a_feature_may_be_an_expression() {
    let inputs = |kind| vec![input("X", kind, 5, &["amount", "log", "night", "foreign", "id"])];
    let features = [
        ("amount", "coalesce(amount, 19.5)"),
        ("log", "ratio * count"),
        ("night", "extract(hour from at) < 6"),
        ("foreign", "country <> 'NL'"),
        ("id", "cast(__key as bigint)"),
    ];
    let binding = with_features(&features, inputs(NumberKind::F32)).unwrap();
    let bytes = row(&[
        ("ratio", Scalar::F32(0.5)),
        ("count", Scalar::I64(3)),
        ("at", Scalar::Timestamp(Timestamp(0))),
        ("country", Scalar::Str("DE")),
    ]);
    assert_eq!(
        gathered(&binding, &bytes).unwrap(),
        [Matrix::F32 { columns: 5, data: vec![19.5, 1.5, 1.0, 1.0, 1.0] }]
    );
    let binding = with_features(&features, inputs(NumberKind::I64)).unwrap();
    assert_eq!(gathered(&binding, &bytes).unwrap(), [Matrix::I64 { columns: 5, data: vec![19, 1, 1, 1, 1] }]);
}

#[test]
fn expressions_follow_the_same_policies() {
    let inputs = || vec![input("X", NumberKind::F64, 1, &["x"])];
    let gathered_from =
        |text: &str| gathered(&with_features(&[("x", text)], inputs()).unwrap(), &whole_row());
    let message = |text: &str| gathered_from(text).unwrap_err().message;
    assert_eq!(message("amount / 0.0 - amount / 0.0"), "the feature `x` is NaN");
    assert_eq!(message("nullif(count, -7)"), "the feature `x` is null");
    assert_eq!(
        message("count / (small - 9)"),
        "the feature `x`: in `count / (small - 9)` an integer is divided by zero"
    );
    assert_eq!(gathered_from("amount"), Ok(vec![Matrix::F64 { columns: 1, data: vec![-2.5] }]));

    let refusal = |text: &str| with_features(&[("x", text)], inputs()).unwrap_err().to_string();
    assert_eq!(
        refusal("risk * 2"),
        "binding `risk`: input `X`: feature `x`: the column `risk` is a score, which is null until scored (features \
         are read from columns that clients write)"
    );
    assert_eq!(
        refusal("upper(country)"),
        "binding `risk`: input `X`: feature `x`: `upper(country)` is str, not a number"
    );
    assert_eq!(refusal("null"), "binding `risk`: input `X`: feature `x`: `null` is always null");
    assert!(refusal("amont * 2").contains("did you mean `amount`?"), "{}", refusal("amont * 2"));
    assert!(refusal("embedding").contains("takes 1 elements a row, its 1 features give 3"));
}

#[test]
fn nulls_follow_the_policy_of_the_input() {
    let mut inputs = vec![input("X", NumberKind::F32, 4, &["amount", "embedding"])];
    let refused = gathered(&compiled(file(), inputs.clone()).unwrap(), &row(&[])).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the feature `amount` is null (the model `fraud` takes no nulls: write a value, or give the binding `risk` \
         an expression such as `coalesce(amount, 0)`)"
    );
    inputs[0].null = NullPolicy::Nan;
    let binding = compiled(file(), inputs.clone()).unwrap();
    let Matrix::F32 { data, .. } = &gathered(&binding, &row(&[])).unwrap()[0] else { panic!() };
    assert!(data.len() == 4 && data.iter().all(|value| value.is_nan()));
    inputs[0].kind = NumberKind::I64;
    assert_eq!(
        compiled(file(), inputs).unwrap_err().message,
        "binding `risk`: input `X`: null = \"nan\", but i64 has no NaN"
    );
}

#[test]
fn nan_follows_the_policy_of_the_binding() {
    let bytes = row(&[("amount", Scalar::F64(f64::NAN)), ("count", Scalar::I64(1))]);
    for kind in [NumberKind::F32, NumberKind::F64, NumberKind::I64, NumberKind::I32, NumberKind::Bool] {
        let inputs = vec![input("X", kind, 1, &["amount"])];
        let refused = gathered(&compiled(file(), inputs.clone()).unwrap(), &bytes).unwrap_err();
        assert_eq!(refused.message, "the feature `amount` is NaN");
        let passing = compiled(BindingFile { nan: Nan::Pass, ..file() }, inputs).unwrap();
        assert!(gathered(&passing, &bytes).is_ok());
    }
}

#[test]
fn a_refused_row_leaves_the_batch_as_it_was() {
    let inputs = vec![
        input("a", NumberKind::I64, 1, &["count"]),
        input("b", NumberKind::F32, 2, &["ratio", "amount"]),
    ];
    let binding = compiled(file(), inputs).unwrap();
    let mut out = Features::new(&binding);
    gather_into(&binding, &whole_row(), &mut out).unwrap();
    let before = out.clone();
    let refused = row(&[("count", Scalar::I64(1)), ("ratio", Scalar::F32(1.0))]);
    assert!(gather_into(&binding, &refused, &mut out).is_err());
    assert_eq!(out, before);
}

#[test]
fn outputs_go_by_label_index_or_name() {
    let plans = |outputs: &[(&str, &str)]| {
        let outputs = outputs.iter().map(|(column, element)| ((*column).into(), (*element).into())).collect();
        let binding =
            compiled(BindingFile { outputs, ..file() }, vec![input("X", NumberKind::F32, 1, &["amount"])]);
        binding.map(|binding| binding.outputs)
    };
    let risk = OutputPlan { column: 8, kind: Kind::F32, output: 1, element: 1 };
    assert_eq!(plans(&[("risk", "probabilities.fraud")]), Ok(vec![risk]));
    assert_eq!(plans(&[("risk", "probabilities[1]")]), Ok(vec![risk]));
    assert_eq!(
        plans(&[("class", "label"), ("label", "out.put.1")]),
        Ok(vec![
            OutputPlan { column: 10, kind: Kind::I64, output: 0, element: 0 },
            OutputPlan { column: 9, kind: Kind::Str, output: 2, element: 1 },
        ])
    );
    let refusal = |column: &str, element: &str| plans(&[(column, element)]).unwrap_err().to_string();
    assert_eq!(
        refusal("risk", "probabilities.froud"),
        "binding `risk`: [outputs] risk: the output `probabilities` has no element `probabilities.froud` (did you \
         mean `probabilities.fraud`?)"
    );
    assert_eq!(
        refusal("risk", "probabilities[2]"),
        "binding `risk`: [outputs] risk: the output `probabilities` has no element `probabilities[2]` (its elements \
         are `honest`, `fraud`)"
    );
    assert_eq!(
        refusal("risk", "probability.fraud"),
        "binding `risk`: [outputs] risk: the model `fraud` has no output `probability.fraud` (did you mean \
         `probabilities`?)"
    );
    assert_eq!(
        refusal("label", "probabilities.fraud"),
        "binding `risk`: the score column `label` is str, `probabilities.fraud` is f32 (declare the column as f32)"
    );
    assert_eq!(
        refusal("rsk", "probabilities.fraud"),
        "binding `risk`: [outputs]: there is no column `rsk` (did you mean `risk`?)"
    );
    assert_eq!(
        refusal("amount", "probabilities.fraud"),
        "binding `risk`: the column `amount` is not a score (declare it under `scores` in the map's schema)"
    );
}

#[test]
fn features_must_be_columns_that_clients_write() {
    let refusal = |feature: &str| {
        compiled(file(), vec![input("X", NumberKind::F32, 1, &[feature])]).unwrap_err().to_string()
    };
    assert_eq!(
        refusal("amont"),
        "binding `risk`: input `X`: feature `amont`: there is no column `amont` (did you mean `amount`?)"
    );
    assert_eq!(
        refusal("risk"),
        "binding `risk`: input `X`: feature `risk`: the column `risk` is a score, which is null until scored \
         (features are read from columns that clients write)"
    );
    assert_eq!(
        refusal("country"),
        "binding `risk`: input `X`: feature `country`: the column `country` is str, not a number (give the feature \
         an expression that makes it a number, under [features])"
    );
    let features = BTreeMap::from([("amuont".to_owned(), "amount * 2".to_owned())]);
    let refused =
        compiled(BindingFile { features, ..file() }, vec![input("X", NumberKind::F32, 1, &["amount"])]);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "binding `risk`: [features]: the model `fraud` has no feature `amuont` (did you mean `amount`?)"
    );
}

#[test]
fn a_row_of_another_schema_is_not_read() {
    let binding = compiled(file(), vec![input("X", NumberKind::F32, 1, &["amount"])]).unwrap();
    let other = Schema::new(SchemaId(9), columns()).unwrap();
    let bytes = Builder::of(&other, Writer::Client).finish().unwrap();
    let row = RowRef::new(&other, &bytes).unwrap();
    let mut out = Features::new(&binding);
    let refused = binding.gather(&row, &Key::from(1), &mut out).unwrap_err();
    assert_eq!(refused.message, "the binding `risk` reads schema 4, not 9");
}

fn cluster() -> Catalogue {
    let mut catalogue = Catalogue::default();
    let node = Node { id: NodeId(1), name: "n1".into(), address: "a".into(), peer_address: "b".into() };
    let schema = Schema::new(SchemaId(0), columns()).unwrap();
    let payments = MapFile { map: "payments".into(), key_name: None, key_kind: None, schema: Some(schema) };
    let version = |version, feature| ModelVersion {
        version,
        ..model(vec![input("X", NumberKind::F32, 1, &[feature])])
    };
    for command in [
        Command::Found(Founding::alone(5, 3, node)),
        Command::CreateMap(payments),
        Command::AddModel { version: version(3, "amount"), alias: Some("champion".into()) },
        Command::AddModel { version: version(4, "amuont"), alias: None },
    ] {
        admit(&catalogue, &command).unwrap();
        catalogue.apply(&command).unwrap();
    }
    catalogue
}

#[test]
fn a_command_that_would_break_a_binding_is_not_admitted() {
    let mut catalogue = cluster();
    let by_alias = BindingFile { model: "fraud@champion".parse().unwrap(), ..file() };
    let apply = Command::ApplyBinding(by_alias);
    admit(&catalogue, &apply).unwrap();
    catalogue.apply(&apply).unwrap();
    assert_eq!(compile_all(&catalogue).unwrap()[0].model.version, 3);

    let before = catalogue.clone();
    let step = Command::SetAlias { model: "fraud".into(), alias: "champion".into(), version: 4 };
    assert_eq!(
        admit(&catalogue, &step).unwrap_err().to_string(),
        "binding `risk`: input `X`: feature `amuont`: there is no column `amuont` (did you mean `amount`?)"
    );
    assert_eq!(catalogue, before);
}
