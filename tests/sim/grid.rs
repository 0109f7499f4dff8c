//! The maps, the model and the bindings of a simulated cluster, through its catalogue.

use std::sync::Arc;

use embergrid::catalog::{
    BindingFile, Catalogue, Command, Configuration, Founding, InputSignature, MapFile, Mode, ModelKind,
    ModelVersion, Node, NullPolicy, NumberKind, OutputKind, OutputSignature, Replica,
};
use embergrid::expr::Update;
use embergrid::partition::View;
use embergrid::row::{Builder, Column, Kind, RowRef, Scalar, Schema, Writer};
use embergrid::types::{Digest, Epoch, Generation, JoinId, MapId, NodeId, SchemaId};

/// A plain map.
pub(crate) const PLAIN: &str = "plain";
/// Another, whose rows are counters that clients read, raise and write back.
pub(crate) const TALLIES: &str = "tallies";
/// Another, to which every key is added once.
pub(crate) const MEMBERS: &str = "members";
/// Rows that are counters, raised where they are.
pub(crate) const COUNTERS: &str = "counters";
/// Bound: a write without its score is refused.
pub(crate) const STRICT: &str = "strict";
/// Bound: a write without its score is stored, and scored later.
pub(crate) const LENIENT: &str = "lenient";

/// Bound: a write does not wait for its score.
pub(crate) const LATER: &str = "later";
/// Rows that are lists, to which clients append where they are.
pub(crate) const LISTS: &str = "lists";

/// The views through which a run goes, in order; in the last ones another version of the model scores.
pub(crate) fn views() -> Vec<Arc<View>> {
    let mut catalogue = Catalogue::default();
    let mut views = Vec::new();
    for command in commands() {
        catalogue.apply(&command).unwrap();
        views.push(Arc::new(View::compile(&catalogue).unwrap()));
    }
    views.split_off(views.len() - 3)
}

fn commands() -> Vec<Command> {
    let node = Node {
        id: NodeId(1),
        name: "one".into(),
        address: "127.0.0.1:7700".into(),
        peer_address: "127.0.0.1:7701".into(),
    };
    let alias = || Some("champion".to_owned());
    vec![
        Command::Found(Founding::alone(9, 1, node)),
        Command::CreateMap(MapFile::plain(PLAIN)),
        Command::CreateMap(feature_map(STRICT)),
        Command::CreateMap(feature_map(LENIENT)),
        Command::AddModel { version: model(1), alias: alias() },
        Command::ApplyBinding(binding(STRICT, "reject")),
        Command::ApplyBinding(binding(LENIENT, "store_unscored")),
        Command::AddModel { version: model(2), alias: None },
        Command::SetAlias { model: "risk".into(), alias: "champion".into(), version: 2 },
    ]
}

/// Held by this node alone.
pub(crate) fn configuration() -> Configuration {
    Configuration::sole(Generation(1), Epoch(1), Replica { join: JoinId(1), node: NodeId(1) })
}

/// What a cluster of several nodes has from the beginning.
pub(crate) fn birth(founding: Founding) -> Vec<Command> {
    let plain = [PLAIN, TALLIES, MEMBERS].map(|name| Command::CreateMap(MapFile::plain(name)));
    let feature = [COUNTERS, LISTS, STRICT, LENIENT, LATER].map(|name| Command::CreateMap(feature_map(name)));
    let bindings = [binding(STRICT, "reject"), binding(LENIENT, "store_unscored"), later()];
    let bindings = bindings.map(Command::ApplyBinding);
    let model = Command::AddModel { version: model(1), alias: Some("champion".to_owned()) };
    std::iter::once(Command::Found(founding))
        .chain(plain)
        .chain(feature)
        .chain([model])
        .chain(bindings)
        .collect()
}

/// Another version of the model, which takes over.
pub(crate) fn upgrade(version: u32) -> Command {
    Command::AddModel { version: model(version), alias: Some("champion".to_owned()) }
}

fn feature_map(name: &str) -> MapFile {
    let mut columns = vec![Column::new("amount", Kind::I64)];
    match name {
        COUNTERS => {}
        LISTS => columns.push(Column::new("items", Kind::Str)),
        _ => columns.push(Column::score("risk", Kind::F32)),
    }
    let schema = Some(Schema::new(SchemaId(0), columns).unwrap());
    MapFile { map: name.into(), key_name: Some("id".into()), key_kind: None, schema }
}

fn model(version: u32) -> ModelVersion {
    let input = InputSignature {
        name: "X".into(),
        kind: NumberKind::I64,
        width: 1,
        features: vec!["amount".into()],
        null: NullPolicy::Reject,
    };
    let output = OutputSignature { name: "p".into(), kind: OutputKind::F32, elements: vec!["risky".into()] };
    ModelVersion {
        name: "risk".into(),
        version,
        digest: Digest::of(&version.to_le_bytes()),
        kind: ModelKind::Onnx,
        bytes: 4,
        inputs: vec![input],
        outputs: vec![output],
    }
}

fn binding(map: &str, on_deadline: &str) -> BindingFile {
    let text = format!(
        "format = 1\nname = \"{map}-risk\"\nmap = \"{map}\"\nmodel = \"risk@champion\"\ndeadline_ms = 5\n\
         on_deadline = \"{on_deadline}\"\n[outputs]\nrisk = \"p.risky\"\n"
    );
    BindingFile::parse("binding.toml", &text).unwrap()
}

fn later() -> BindingFile {
    BindingFile { mode: Mode::Async, ..binding(LATER, "store_unscored") }
}

/// What a version of the model gives for an amount below 1,000: exact in `f32`.
pub(crate) fn risk(amount: i64, version: u32) -> f32 {
    (amount + 1_000 * i64::from(version)) as f32
}

pub(crate) fn map_id(view: &View, name: &str) -> MapId {
    view.maps.values().find(|map| map.map.name == name).unwrap().map.id
}

pub(crate) fn schema(view: &View, map: MapId) -> Option<&Arc<Schema>> {
    view.maps[&map].map.schema()
}

/// A value for a map: a row with this amount, or its digits.
pub(crate) fn value(view: &View, map: MapId, amount: i64) -> Vec<u8> {
    let Some(schema) = schema(view, map) else { return amount.to_string().into_bytes() };
    let mut row = Builder::of(schema, Writer::Client);
    row.set_named("amount", Scalar::I64(amount)).unwrap();
    if schema.column("items").is_some() {
        row.set_named("items", Scalar::Str("")).unwrap();
    }
    row.finish().unwrap()
}

/// What a value says: the amount, and the score if there is one.
pub(crate) fn read(view: &View, map: MapId, value: &[u8]) -> (i64, Option<f32>) {
    let Some(schema) = schema(view, map) else {
        return (std::str::from_utf8(value).unwrap().parse().unwrap(), None);
    };
    let row = RowRef::new(schema, value).unwrap();
    let is_scored = schema.columns().get(1).is_some_and(|column| column.is_score);
    (row.i64(0).unwrap(), is_scored.then(|| row.f32(1)).flatten())
}

/// Appends an item to a list.
pub(crate) fn append(view: &View, item: i64) -> Update {
    let schema = schema(view, map_id(view, LISTS)).unwrap();
    Update::parse(&format!("SET amount = amount + 1, items = items || '{item} '"), schema, None).unwrap()
}

/// The item that it appends.
pub(crate) fn appended(update: &Update) -> i64 {
    let item = update.text().rsplit('\'').nth(1).expect("an item stands in quotes");
    item.trim_end().parse().expect("an item is a number")
}

/// The items of a list, in order.
pub(crate) fn items(view: &View, value: &[u8]) -> Vec<i64> {
    let row = RowRef::new(schema(view, map_id(view, LISTS)).unwrap(), value).unwrap();
    let Scalar::Str(items) = row.value(1) else { panic!("a list without items") };
    items.split_whitespace().map(|item| item.parse().unwrap()).collect()
}
