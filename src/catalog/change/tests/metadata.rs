use proptest::prelude::*;

use crate::{
    catalog::{
        BindingFile, Catalogue, Command, Configuration, Founding, InputSignature, MapFile, Mode, ModelKind,
        ModelVersion, Nan, Node, NullPolicy, NumberKind, OnDeadline, OutputKind, OutputSignature, Replica,
        Response,
    },
    row::{Column, Kind, Schema},
    types::{
        BindingId, CatalogueVersion, Class, Digest, Epoch, Generation, Incarnation, JoinId, KeyKind, MapId,
        NodeId, PartitionId, Result, SchemaId, SessionId,
    },
};

fn node() -> Node {
    Node { id: NodeId(17), name: "n1".into(), address: "127.0.0.1:7700".into(), peer_address: String::new() }
}

fn found() -> Command {
    Command::Found(Founding::alone(5, 2, node()))
}

fn schema_of(columns: Vec<Column>) -> MapFile {
    MapFile {
        map: "screening".into(),
        key_name: Some("id".into()),
        key_kind: Some(KeyKind::I64),
        schema: Some(Schema::new(SchemaId(0), columns).unwrap()),
    }
}

fn columns() -> Vec<Column> {
    vec![
        Column::new("radius", Kind::F64).range(0.0, None),
        Column::score("malignant", Kind::F32),
        Column::score("benign", Kind::F32),
    ]
}

pub(super) fn screening() -> MapFile {
    schema_of(columns())
}

fn version(number: u32) -> ModelVersion {
    ModelVersion {
        name: "cancer".into(),
        version: number,
        digest: Digest::of(&number.to_le_bytes()),
        kind: ModelKind::Onnx,
        bytes: 9,
        inputs: vec![InputSignature {
            name: "X".into(),
            kind: NumberKind::F32,
            width: 1,
            features: vec!["radius".into()],
            null: NullPolicy::Reject,
        }],
        outputs: vec![OutputSignature {
            name: "p".into(),
            kind: OutputKind::F32,
            elements: vec!["malignant".into(), "benign".into()],
        }],
    }
}

fn add(number: u32, alias: Option<&str>) -> Command {
    Command::AddModel { version: version(number), alias: alias.map(str::to_owned) }
}

pub(super) fn alias(version: u32) -> Command {
    Command::SetAlias { model: "cancer".into(), alias: "champion".into(), version }
}

pub(super) fn binding(name: &str, column: &str, model: &str) -> BindingFile {
    BindingFile {
        name: name.into(),
        map: "screening".into(),
        model: model.parse().unwrap(),
        mode: Mode::Sync,
        deadline_ms: 50,
        on_deadline: OnDeadline::Reject,
        nan: Nan::Reject,
        features: [].into(),
        outputs: [(column.to_owned(), "p.malignant".to_owned())].into(),
    }
}

fn after(commands: &[Command]) -> Catalogue {
    let mut catalogue = Catalogue::default();
    for command in commands {
        catalogue.apply(command).unwrap();
    }
    catalogue
}

pub(super) fn toured() -> Catalogue {
    after(&[
        found(),
        Command::CreateMap(screening()),
        add(1, Some("champion")),
        Command::ApplyBinding(binding("screen", "malignant", "cancer@champion")),
    ])
}

/// The refusal of a command, which must change nothing.
pub(super) fn refused(catalogue: &mut Catalogue, command: &Command) -> String {
    let before = catalogue.clone();
    let error = catalogue.apply(command).unwrap_err();
    assert_eq!(*catalogue, before);
    format!("{}: {error}", error.class.name())
}

#[test]
fn one_node_founds_a_cluster_that_holds_every_partition() {
    let mut catalogue = Catalogue::default();
    assert_eq!(
        refused(&mut catalogue, &Command::CreateMap(screening())),
        "unavailable: the cluster is not founded yet"
    );
    let started = catalogue.apply(&found());
    assert_eq!(started, Ok(Response::Started { incarnation: Incarnation(1), new_generation: false }));
    let configuration = |join, generation, epoch| {
        let replica = Replica { join: JoinId(join), node: NodeId(17) };
        Configuration::sole(Generation(generation), Epoch(epoch), replica)
    };
    assert_eq!(catalogue.configurations(), [configuration(1, 1, 1), configuration(2, 1, 1)]);
    assert_eq!(
        (catalogue.version, catalogue.cluster, catalogue.partition_count),
        (CatalogueVersion(1), 5, 2)
    );
    assert_eq!(
        refused(&mut catalogue, &found()),
        "conflict: the cluster 0000000000000005 is founded already"
    );

    let restarted = catalogue.apply(&Command::StartNode { node: node(), after: None });
    assert_eq!(restarted, Ok(Response::Started { incarnation: Incarnation(2), new_generation: true }));
    assert_eq!(catalogue.configurations(), [configuration(3, 2, 2), configuration(4, 2, 2)]);
    assert_eq!(catalogue.configuration(PartitionId(1)).unwrap().primary_node(), Some(NodeId(17)));
    assert_eq!(catalogue.configuration(PartitionId(2)), None);

    assert_eq!(catalogue.version, CatalogueVersion(1), "a start is no change of the metadata");
}

#[test]
fn a_map_is_created_once_and_takes_nullable_columns() {
    let mut catalogue = after(&[found()]);
    let created =
        |schema, changed| Ok(Response::Map { id: MapId(1), schema: Some(SchemaId(schema)), changed });
    assert_eq!(catalogue.apply(&Command::CreateMap(screening())), created(1, true));
    assert_eq!(catalogue.apply(&Command::CreateMap(screening())), created(1, false));
    assert_eq!(catalogue.version, CatalogueVersion(2));

    let mut more = columns();
    more.insert(1, Column::new("diagnosis", Kind::Str).nullable());
    assert_eq!(catalogue.apply(&Command::CreateMap(schema_of(more.clone()))), created(2, true));
    assert_eq!(catalogue.apply(&Command::CreateMap(schema_of(more))), created(2, false));
    let map = catalogue.map("screening").unwrap();
    assert_eq!(map.schema().unwrap().column("diagnosis"), Some(1));
    assert_eq!(map.schema().unwrap().id(), SchemaId(2));
    assert!(map.schema().unwrap().reads(SchemaId(1)));

    let plain = Command::CreateMap(MapFile::plain("cache"));
    assert_eq!(catalogue.apply(&plain), Ok(Response::Map { id: MapId(2), schema: None, changed: true }));
    assert_eq!(catalogue.apply(&plain), Ok(Response::Map { id: MapId(2), schema: None, changed: false }));
    assert_eq!(
        refused(&mut catalogue, &Command::CreateMap(MapFile::plain("screening"))),
        "conflict: map `screening`: the key is `id, of type i64`, not `unnamed, of any type`"
    );
    assert!(
        refused(&mut catalogue, &Command::CreateMap(MapFile::plain("a b"))).contains("cannot name a map")
    );
}

#[test]
fn another_definition_of_a_map_is_a_conflict_that_names_the_column() {
    let mut catalogue = after(&[found(), Command::CreateMap(screening())]);
    let mut changed = |edit: &dyn Fn(&mut Vec<Column>)| {
        let mut columns = columns();
        edit(&mut columns);
        let refusal = refused(&mut catalogue, &Command::CreateMap(schema_of(columns)));
        refusal.strip_prefix("conflict: map `screening`: ").unwrap().split(" (").next().unwrap().to_owned()
    };
    assert_eq!(changed(&|columns| columns[0].kind = Kind::F32), "the column `radius` is f64, not f32");
    assert_eq!(changed(&|columns| columns[0].nullable = true), "the column `radius` is not nullable");
    assert_eq!(changed(&|columns| columns[0].max = Some(9.5)), "the column `radius` has min 0 and max none");
    assert_eq!(changed(&|columns| columns[2].name = "x".into()), "the column `benign` is missing");
    assert_eq!(
        changed(&|columns| {
            columns.remove(1);
            columns.insert(1, Column::new("malignant", Kind::F32).nullable());
        }),
        "the column `malignant` is a score"
    );
    assert_eq!(
        changed(&|columns| columns.insert(0, Column::new("age", Kind::I32))),
        "the new column `age` is not nullable: stored rows lack it"
    );
}

#[test]
fn ids_are_never_reused() {
    let mut catalogue = after(&[found(), Command::CreateMap(screening())]);
    let drop = Command::DropMap { name: "screening".into() };
    assert_eq!(catalogue.apply(&drop), Ok(Response::MapDropped { id: MapId(1) }));
    assert_eq!(refused(&mut catalogue, &drop), "not_found: there is no map `screening`");
    assert_eq!(
        catalogue.apply(&Command::CreateMap(screening())),
        Ok(Response::Map { id: MapId(2), schema: Some(SchemaId(2)), changed: true })
    );
    assert_eq!(catalogue.map_by_id(MapId(1)), None);
}

#[test]
fn versions_of_a_model_are_immutable() {
    let mut catalogue = after(&[found(), add(1, None)]);
    let answer = |version, changed| Ok(Response::Model { version, changed });
    assert_eq!(catalogue.apply(&add(1, None)), answer(1, false));
    assert_eq!(catalogue.apply(&add(1, Some("champion"))), answer(1, true));
    assert_eq!(catalogue.apply(&add(1, Some("champion"))), answer(1, false));
    let other = ModelVersion { digest: Digest::of(b"other"), ..version(1) };
    assert_eq!(
        refused(&mut catalogue, &Command::AddModel { version: other, alias: None }),
        "conflict: version 1 of the model `cancer` is there and differs (versions are never reused: deploy it as \
         version 2)"
    );
    assert_eq!(catalogue.apply(&add(7, None)), answer(7, true));
    assert_eq!(catalogue.model("cancer").unwrap().next_version(), 8);

    let remove = |version| Command::RemoveModel { model: "cancer".into(), version };
    assert_eq!(
        refused(&mut catalogue, &remove(1)),
        "conflict: version 1 of the model `cancer` is named by the alias `champion` (move the alias first: \
         `embergrid model alias`)"
    );
    assert_eq!(catalogue.apply(&remove(7)), Ok(Response::ModelRemoved));
    assert!(refused(&mut catalogue, &add(7, None)).contains("version 7 of the model `cancer` was removed"));
    assert_eq!(catalogue.model("cancer").unwrap().next_version(), 8);
    assert_eq!(
        refused(&mut catalogue, &alias(7)),
        "not_found: the model `cancer` has no version 7 (its versions are 1)"
    );
    let digits = Command::SetAlias { model: "cancer".into(), alias: "12".into(), version: 1 };
    assert_eq!(
        refused(&mut catalogue, &digits),
        "invalid: `12` cannot name an alias (a number names a version)"
    );
}

#[test]
fn malformed_signatures_are_refused() {
    let mut catalogue = after(&[found()]);
    let mut refusal = |edit: &dyn Fn(&mut ModelVersion)| {
        let mut version = version(1);
        edit(&mut version);
        refused(&mut catalogue, &Command::AddModel { version, alias: None })
    };
    assert_eq!(
        refusal(&|version| version.inputs.push(version.inputs[0].clone())),
        "invalid: the model has two inputs `X`"
    );
    assert_eq!(
        refusal(&|version| version.outputs[0].elements[0] = "benign".into()),
        "invalid: the output `p` names `benign` twice"
    );
    assert!(refusal(&|version| version.outputs.clear()).starts_with("invalid: the model has 0 outputs"));
    assert!(refusal(&|version| version.inputs[0].width = 0).contains("`X` has 0 elements a row"));
    assert!(refusal(&|version| version.version = 0).contains("count from 1"));
    assert!(refusal(&|version| version.inputs[0].features[0] = "x".repeat(300)).contains("over 256 bytes"));
}

#[test]
fn bindings_follow_their_alias() {
    let mut catalogue = toured();
    let binding = |catalogue: &Catalogue| catalogue.binding("screen").unwrap().clone();
    assert_eq!((binding(&catalogue).id, binding(&catalogue).model_version), (BindingId(1), 1));
    catalogue.apply(&add(2, None)).unwrap();
    assert_eq!(binding(&catalogue).model_version, 1);
    assert_eq!(catalogue.apply(&alias(2)), Ok(Response::Alias { previous: Some(1) }));
    assert_eq!((binding(&catalogue).id, binding(&catalogue).model_version), (BindingId(1), 2));
    let version = catalogue.version;
    assert_eq!(catalogue.apply(&alias(2)), Ok(Response::Alias { previous: Some(2) }));
    assert_eq!(catalogue.version, version);
    catalogue.apply(&add(3, Some("champion"))).unwrap();
    assert_eq!(binding(&catalogue).model_version, 3);
}

#[test]
fn what_is_in_use_stays() {
    let mut catalogue = toured();
    assert_eq!(
        refused(&mut catalogue, &Command::DropMap { name: "screening".into() }),
        "conflict: the map `screening` is scored by `screen` (delete the bindings first: `embergrid binding delete \
         NAME`)"
    );
    let fixed = Command::ApplyBinding(binding("fixed", "benign", "cancer@1"));
    for command in [fixed, add(2, Some("champion"))] {
        catalogue.apply(&command).unwrap();
    }
    let remove = Command::RemoveModel { model: "cancer".into(), version: 1 };
    assert!(refused(&mut catalogue, &remove).contains("is named by the binding `fixed`"));
    for name in ["fixed", "screen"] {
        catalogue.apply(&Command::DeleteBinding { name: name.into() }).unwrap();
    }
    catalogue.apply(&remove).unwrap();
    catalogue.apply(&Command::DropMap { name: "screening".into() }).unwrap();
}

#[test]
fn a_binding_is_applied_once_and_replaced_by_another_definition() {
    let mut catalogue = toured();
    let same = binding("screen", "malignant", "cancer@champion");
    let answer = |id, changed| Ok(Response::Binding { id: BindingId(id), changed });
    assert_eq!(catalogue.apply(&Command::ApplyBinding(same.clone())), answer(1, false));
    let other = BindingFile { deadline_ms: 5, ..same };
    assert_eq!(catalogue.apply(&Command::ApplyBinding(other)), answer(2, true));
    assert_eq!(catalogue.bindings().count(), 1);
    let delete = Command::DeleteBinding { name: "screen".into() };
    assert_eq!(catalogue.apply(&delete), Ok(Response::BindingDeleted { id: BindingId(2) }));
    assert_eq!(refused(&mut catalogue, &delete), "not_found: there is no binding `screen`");
}

#[test]
fn a_binding_of_things_that_are_not_there_is_refused() {
    let mut catalogue = toured();
    let mut refusal = |edit: &dyn Fn(&mut BindingFile)| {
        let mut file = binding("second", "benign", "cancer@champion");
        edit(&mut file);
        refused(&mut catalogue, &Command::ApplyBinding(file))
    };
    assert_eq!(
        refusal(&|file| file.map = "screning".into()),
        "not_found: binding `second`: there is no map `screning` (did you mean `screening`?)"
    );
    assert_eq!(
        refusal(&|file| file.model = "cancr@1".parse().unwrap()),
        "not_found: binding `second`: there is no model `cancr` (did you mean `cancer`?)"
    );
    assert_eq!(
        refusal(&|file| file.model = "cancer@champio".parse().unwrap()),
        "not_found: binding `second`: model `cancer`: there is no alias `champio` (did you mean `champion`?)"
    );
    assert_eq!(
        refusal(&|file| file.outputs = [("malignan".to_owned(), "p".to_owned())].into()),
        "invalid: binding `second`: there is no column `malignan` (did you mean `malignant`?)"
    );
    assert_eq!(
        refusal(&|file| file.outputs = [("radius".to_owned(), "p".to_owned())].into()),
        "invalid: binding `second`: the column `radius` is not a score (the scores are `malignant`, `benign`)"
    );
    assert!(refusal(&|file| file.outputs = [("malignant".to_owned(), "p".to_owned())].into()).starts_with(
        "conflict: binding `second`: the score column `malignant` is written by the binding `screen`"
    ));
}

#[test]
fn session_ids_come_in_blocks_and_change_no_metadata() {
    let mut catalogue = after(&[found()]);
    let grant = |count| Command::GrantSessions { count };
    let granted = |first, count| Ok(Response::Sessions { first: SessionId(first), count });
    assert_eq!(catalogue.apply(&grant(1000)), granted(1, 1000));
    assert_eq!(catalogue.apply(&grant(1)), granted(1001, 1));
    assert_eq!(catalogue.next_session(), SessionId(1002));
    assert_eq!(catalogue.version, CatalogueVersion(1));
    assert_eq!(catalogue.apply(&grant(0)).unwrap_err().class, Class::Invalid);
    assert_eq!(catalogue.apply(&grant(u32::MAX)).unwrap_err().class, Class::Invalid);
}

fn commands() -> impl Strategy<Value = Command> {
    let names = prop_oneof![Just("screen"), Just("second"), Just("third")];
    let columns_of = prop_oneof![Just("malignant"), Just("benign"), Just("radius"), Just("nothing")];
    let models = prop_oneof![Just("cancer@1"), Just("cancer@champion"), Just("other@1")];
    prop_oneof![
        Just(found()),
        Just(Command::StartNode { node: node(), after: None }),
        any::<bool>().prop_map(|more| {
            let mut columns = columns();
            if more {
                columns.insert(1, Column::new("more", Kind::Str).nullable());
            }
            Command::CreateMap(schema_of(columns))
        }),
        Just(Command::CreateMap(MapFile::plain("cache"))),
        prop_oneof![Just("screening"), Just("cache")].prop_map(|name| Command::DropMap { name: name.into() }),
        (1..4_u32, any::<bool>()).prop_map(|(number, named)| add(number, named.then_some("champion"))),
        (1..4_u32).prop_map(alias),
        (1..4_u32).prop_map(|version| Command::RemoveModel { model: "cancer".into(), version }),
        (names.clone(), columns_of, models)
            .prop_map(|(name, column, model)| Command::ApplyBinding(binding(name, column, model))),
        names.prop_map(|name| Command::DeleteBinding { name: name.into() }),
        (0..9_u32).prop_map(|count| Command::GrantSessions { count }),
    ]
}

fn round_trip<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_slice(&serde_json::to_vec(value).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Two replicas, one of which hears of everything through its serialized form and is restored from a snapshot
    /// after every command, agree on every answer and every byte.
    #[test]
    fn apply_is_deterministic_and_survives_serialization(commands in prop::collection::vec(commands(), 1..60)) {
        let mut straight = after(&[found()]);
        let mut restored = straight.clone();
        for command in &commands {
            let before = straight.clone();
            let answer: Result<Response> = straight.apply(command);
            if answer.is_err() {
                prop_assert_eq!(&straight, &before);
            }
            prop_assert_eq!(round_trip(&answer), restored.apply(&round_trip(command)));
            restored = round_trip(&restored);
            prop_assert_eq!(&straight, &restored);
            prop_assert_eq!(serde_json::to_vec(&straight).unwrap(), serde_json::to_vec(&restored).unwrap());
        }
    }

    /// Whatever happens, every binding names a map and a version that are there, and no two write one column.
    #[test]
    fn bindings_never_dangle(commands in prop::collection::vec(commands(), 1..60)) {
        let mut catalogue = after(&[found()]);
        for command in &commands {
            let _ = catalogue.apply(command);
            let mut claimed = std::collections::BTreeSet::new();
            for binding in catalogue.bindings() {
                prop_assert_eq!(catalogue.map(&binding.file.map).unwrap().id, binding.map);
                let version = catalogue.resolve(&binding.file.model).unwrap().version;
                prop_assert_eq!(version, binding.model_version);
                for column in binding.file.outputs.keys() {
                    prop_assert!(claimed.insert((binding.map, column.clone())));
                }
            }
        }
    }
}
