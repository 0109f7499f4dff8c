//! A core on the bench: a clock to turn, inputs in, effects out as lines.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    binding::{Score, ScoreValue},
    catalog::{
        BindingFile, Catalogue, Command, Configuration, Founding, InputSignature, MapFile, ModelKind,
        ModelVersion, Node, NullPolicy, NumberKind, OutputKind, OutputSignature, Replica,
    },
    partition::{
        Body, Change, Core, Effect, Entry, Frame, Input, JobBatch, Limits, MapView, Op, Origin, Outcome,
        Part, PutMode, Request, ScoredRow, Setup, Ticket, Timing, Ttl, View,
    },
    row::{Builder, Column, Kind, RowRef, Scalar, Schema},
    store::Record,
    types::{
        Digest, Epoch, Error, Generation, JobId, JoinId, Key, KeyRef, MapId, NodeId, Now, PartitionId,
        Position, RequestId, RowVersion, SchemaId, SessionId, Timestamp,
    },
};

pub(crate) const PLAIN: MapId = MapId(1);
pub(crate) const SCORED: MapId = MapId(2);
/// What the wall clock says when the bench's own clock says zero.
pub(crate) const WALL: i64 = 1_000_000;

pub(crate) struct Bench {
    pub(crate) core: Core,
    pub(crate) now_us: u64,
    pub(crate) catalogue: Catalogue,
    effects: Vec<Effect>,
    tickets: Vec<Ticket>,
}

impl Bench {
    /// A sole replica with a plain map and a feature map `cards(amount f64, risk f32, other f32)`, not bound yet.
    pub(crate) fn new() -> Self {
        Bench::of(1, Limits::default())
    }

    /// As many replicas in sync; this one is the primary.
    pub(crate) fn of(replicas: u64, limits: Limits) -> Self {
        let replica = |join| Replica { join: JoinId(join), node: NodeId(join) };
        let configuration = Configuration {
            in_sync: (1..=replicas).map(replica).collect(),
            ..Configuration::sole(Generation(1), Epoch(1), replica(1))
        };
        let setup = Setup {
            partition: PartitionId(0),
            configuration: Arc::new(configuration),
            me: JoinId(1),
            limits,
            timing: Timing::default(),
            seed: 7,
        };
        let mut bench = Bench {
            core: Core::new(setup),
            now_us: 0,
            catalogue: Catalogue::default(),
            effects: Vec::new(),
            tickets: Vec::new(),
        };
        bench.input(Input::Lease { until_us: u64::MAX });
        (2..=replicas).for_each(|join| drop(bench.hear(join, Body::Lease { sent_us: 0 })));
        let columns = vec![
            Column::new("amount", Kind::F64),
            Column::score("risk", Kind::F32),
            Column::score("other", Kind::F32),
        ];
        let cards =
            MapFile { schema: Some(Schema::new(SchemaId(0), columns).unwrap()), ..MapFile::plain("cards") };
        bench.apply(Command::Found(Founding::alone(9, 1, node())));
        bench.apply(Command::CreateMap(MapFile::plain("plain")));
        bench.apply(Command::CreateMap(cards));
        bench.deploy(1);
        bench.cut_over();
        bench
    }

    /// With the binding `risk`.
    pub(crate) fn bound(options: &str) -> Self {
        let mut bench = Bench::new();
        bench.bind("risk", options);
        bench.cut_over();
        bench
    }

    pub(crate) fn apply(&mut self, command: Command) {
        self.catalogue.apply(&command).unwrap();
    }

    /// The next version of the model `fraud`, which `champion` names from now on.
    pub(crate) fn deploy(&mut self, version: u32) {
        let version = ModelVersion {
            name: "fraud".into(),
            version,
            digest: Digest::of(&version.to_le_bytes()),
            kind: ModelKind::Onnx,
            bytes: 4,
            inputs: vec![InputSignature {
                name: "X".into(),
                kind: NumberKind::F32,
                width: 1,
                features: vec!["amount".into()],
                null: NullPolicy::Reject,
            }],
            outputs: vec![OutputSignature {
                name: "p".into(),
                kind: OutputKind::F32,
                elements: vec!["0".into()],
            }],
        };
        self.apply(Command::AddModel { version, alias: Some("champion".into()) });
    }

    /// A binding of this name, which fills the score column of this name.
    pub(crate) fn bind(&mut self, column: &str, options: &str) {
        let text = format!(
            "format = 1\nname = \"{column}\"\nmap = \"cards\"\nmodel = \"fraud@champion\"\n{options}\n[outputs]\n{column} = \"p[0]\"\n"
        );
        self.apply(Command::ApplyBinding(BindingFile::parse("test", &text).unwrap()));
    }

    /// Hands the catalogue to the core.
    pub(crate) fn cut_over(&mut self) -> Vec<String> {
        let view = View::compile(&self.catalogue).unwrap();
        self.input(Input::View(Arc::new(view)))
    }

    pub(crate) fn now(&self) -> Now {
        Now { mono_us: self.now_us, wall: Timestamp(WALL + self.now_us as i64 / 1_000) }
    }

    pub(crate) fn input(&mut self, input: Input) -> Vec<String> {
        let now = self.now();
        self.core.handle(now, input, &mut self.effects);
        self.tickets.extend(self.effects.iter().filter_map(|effect| match effect {
            Effect::Score(task) => Some(task.ticket),
            _ => None,
        }));
        self.effects.drain(..).map(|effect| line(&effect)).collect()
    }

    /// Another replica says something in the present epoch.
    pub(crate) fn hear(&mut self, from: u64, body: Body) -> Vec<String> {
        let Configuration { generation, epoch, .. } = **self.core.configuration();
        self.frame(Frame {
            partition: PartitionId(0),
            generation,
            epoch,
            from: JoinId(from),
            to: JoinId(1),
            body,
        })
    }

    pub(crate) fn frame(&mut self, frame: Frame) -> Vec<String> {
        self.input(Input::Frame(frame))
    }

    pub(crate) fn request(&mut self, request: Request) -> Vec<String> {
        self.input(Input::Request(request))
    }

    pub(crate) fn tick(&mut self, now_us: u64) -> Vec<String> {
        self.now_us = now_us;
        self.input(Input::Tick)
    }

    /// The `nonce`-th score asked for is this.
    pub(crate) fn scored(&mut self, nonce: u64, value: f32) -> Vec<String> {
        let column = if self.is_other(nonce) { 2 } else { 1 };
        let ticket = Ticket { epoch: Epoch(1), nonce };
        let scores = [Score { column, value: ScoreValue::F32(value) }].into_iter().collect();
        self.input(Input::Scored { ticket, result: Ok(scores) })
    }

    pub(crate) fn failed(&mut self, nonce: u64, error: Error) -> Vec<String> {
        self.input(Input::Scored { ticket: Ticket { epoch: Epoch(1), nonce }, result: Err(error) })
    }

    /// With two bindings, every second question is about the second.
    fn is_other(&self, nonce: u64) -> bool {
        self.catalogue.bindings().len() == 2 && nonce.is_multiple_of(2)
    }

    /// Rows of the feature map as a job finds them, with these scores under the binding of that name.
    pub(crate) fn scored_by_job(&self, job: u32, binding: &str, scores: &[(&str, f32)]) -> JobBatch {
        let view = View::compile(&self.catalogue).unwrap();
        let map = view.maps[&SCORED].clone();
        let rows = scores.iter().map(|(key, score)| (self.read(SCORED, key).unwrap(), *score));
        job_batch(job, &map, binding, rows)
    }

    pub(crate) fn read(&self, map: MapId, key: &str) -> Option<Record> {
        self.core.reader().read(map, self::key(key).packed(), || 0).unwrap()
    }

    /// The committed row as a line.
    pub(crate) fn row(&self, map: MapId, key: &str) -> String {
        self.read(map, key).map_or("none".into(), |record| shown(map, &record))
    }
}

/// Rows with these scores under the binding of that name.
pub(crate) fn job_batch(
    job: u32,
    map: &Arc<MapView>,
    binding: &str,
    rows: impl IntoIterator<Item = (Record, f32)>,
) -> JobBatch {
    let binding = map.bindings.iter().find(|bound| &*bound.name == binding).unwrap();
    let column = binding.outputs[0].column;
    let scored = |(record, score): (Record, f32)| {
        let scores = [Score { column, value: ScoreValue::F32(score) }];
        ScoredRow::new(record, map, binding, JobId(job), &scores).unwrap()
    };
    JobBatch {
        origin: Origin { connection: 0, tag: 100 },
        job: JobId(job),
        binding: binding.id,
        map: map.clone(),
        rows: rows.into_iter().map(scored).collect(),
    }
}

fn node() -> Node {
    Node { id: NodeId(1), name: "one".into(), address: "a:1".into(), peer_address: "a:2".into() }
}

pub(crate) fn key(text: &str) -> Key {
    Key::new(KeyRef::Str(text), None).unwrap()
}

pub(crate) fn put(tag: u64, key: &str, value: &str) -> Request {
    op(
        tag,
        PLAIN,
        key,
        Op::Put { value: value.to_owned().into(), mode: PutMode::Always, want_old: true, ttl: None },
    )
}

pub(crate) fn put_if(tag: u64, key: &str, value: &str, mode: PutMode) -> Request {
    op(tag, PLAIN, key, Op::Put { value: value.to_owned().into(), mode, want_old: true, ttl: None })
}

pub(crate) fn put_ttl(tag: u64, key: &str, value: &str, ms: u64) -> Request {
    let ttl = Some(Ttl { ms });
    op(
        tag,
        PLAIN,
        key,
        Op::Put { value: value.to_owned().into(), mode: PutMode::Always, want_old: false, ttl },
    )
}

pub(crate) fn remove(tag: u64, key: &str, expected: Option<u64>) -> Request {
    op(tag, PLAIN, key, Op::Remove { expected: expected.map(RowVersion), want_old: true })
}

/// A put into the feature map.
pub(crate) fn card(tag: u64, key: &str, amount: f64) -> Request {
    let value = card_row(SchemaId(1), amount);
    op(tag, SCORED, key, Op::Put { value, mode: PutMode::Always, want_old: false, ttl: None })
}

pub(crate) fn card_row(schema: SchemaId, amount: f64) -> Bytes {
    let schema = cards(schema);
    let mut builder = Builder::new(&schema);
    builder.set(0, Scalar::F64(amount)).unwrap();
    builder.finish().unwrap().into()
}

/// The schema of the feature map.
pub(crate) fn cards(id: SchemaId) -> Schema {
    let columns = vec![
        Column::new("amount", Kind::F64),
        Column::score("risk", Kind::F32),
        Column::score("other", Kind::F32),
    ];
    Schema::new(id, columns).unwrap()
}

pub(crate) fn op(tag: u64, map: MapId, key: &str, op: Op) -> Request {
    let origin = Origin { connection: 0, tag };
    Request { origin, id: None, acknowledged_below: 0, map, key: self::key(key), op, deadline_us: None }
}

/// The same request as the `number`-th of session 1.
pub(crate) fn numbered(number: u64, request: Request) -> Request {
    Request { id: Some(RequestId { session: SessionId(1), number }), ..request }
}

/// One effect in one line.
pub(crate) fn line(effect: &Effect) -> String {
    match effect {
        Effect::Score(task) => {
            let key = Key::from_packed(task.key.packed()).unwrap();
            format!("score {} {}@{} {key}", task.ticket.nonce, task.binding.name, task.binding.model.version)
        }
        Effect::Reply { origin, answer } => format!("reply {} {}", origin.tag, answer_line(answer)),
        Effect::Forward { to, request } => format!("forward {} to {to}", request.origin.tag),
        Effect::Publish(entry) => format!("publish {}", entry_line(entry)),
        Effect::Send { to, frame } => format!("send {} {}", to.join, body_line(&frame.body)),
        Effect::Propose { epoch, change, .. } => format!("propose {change:?} at {epoch}"),
        Effect::Differ(difference) => format!("differ {difference:?}"),
    }
}

pub(crate) fn body_line(body: &Body) -> String {
    let at = |position: Position| format!("{}.{}", position.epoch, position.seq);
    match body {
        Body::Prepare { prev, entries, committed } => {
            let entries: Vec<_> = entries.iter().map(|entry| at(entry.position)).collect();
            format!("prepare {} [{}] committed {committed}", at(*prev), entries.join(" "))
        }
        Body::Prepared { upto } => format!("prepared {upto}"),
        Body::Behind { has } => format!("behind {has}"),
        Body::Beacon { committed, .. } => format!("beacon committed {committed}"),
        Body::Lease { sent_us } => format!("lease {sent_us}"),
        Body::Fill { fill, number, part } => format!("fill {fill}#{number} {}", part_line(part)),
        Body::Filled { fill, number, verdict } => format!("filled {fill}#{number} {verdict:?}"),
        Body::Compare { at: of } => format!("compare {}", at(*of)),
        Body::Checksum { at: of, .. } => format!("checksum {}", at(*of)),
    }
}

fn part_line(part: &Part) -> String {
    match part {
        Part::Begin { at, .. } => format!("begin {}.{}", at.epoch, at.seq),
        Part::Rows { map, rows } => format!("{} rows of {map}", rows.len()),
        Part::Ended(sessions) => format!("{} ended", sessions.len()),
        Part::Sessions(copies) => format!("{} sessions", copies.len()),
        Part::Log { entries, .. } => format!("{} entries", entries.len()),
        Part::Check { at, .. } => format!("check {}.{}", at.epoch, at.seq),
    }
}

fn answer_line(answer: &Result<Outcome, Error>) -> String {
    match answer {
        Err(error) => format!("{}: {}", error.class.name(), error.message),
        Ok(outcome) => {
            let mut line = if outcome.applied { "applied" } else { "not applied" }.to_owned();
            if let Some(version) = outcome.version {
                line += &format!(" v{version}");
            }
            if let Some(old) = &outcome.old {
                line += &format!(" old {}", shown(PLAIN, old));
            }
            if let Some(record) = &outcome.record {
                line += &format!(" record {}", shown(SCORED, record));
            }
            line
        }
    }
}

fn entry_line(entry: &Entry) -> String {
    let changes: Vec<String> = entry.changes.iter().map(change_line).collect();
    format!("{} [{}]", entry.position.seq, changes.join(", "))
}

fn change_line(change: &Change) -> String {
    let name = match change {
        Change::Put { .. } => "put",
        Change::Scored { .. } => "scored",
        Change::Ttl { .. } => "ttl",
        Change::Remove { .. } => "remove",
        Change::Expire { .. } => "expire",
        Change::Catalogue(view) => return format!("catalogue {}", view.version),
        Change::EndSession(session) => return format!("end session {session}"),
    };
    let (map, old, new) = change.row().unwrap();
    let show = |record: Option<&Record>| record.map_or("none".into(), |record| shown(map, record));
    format!("{name} {} -> {}", show(old), show(new))
}

/// `key=value@version`; for a card `key=amount/risk/other@version`, then lineage and marks.
pub(crate) fn shown(map: MapId, record: &Record) -> String {
    let key = Key::from_packed(record.key()).unwrap();
    let value = if map == PLAIN { text(record) } else { card_text(record) };
    let mut shown = format!("{key}={value}@{}", record.row_version());
    for lineage in record.lineage() {
        shown += &format!(" by {}:{}", lineage.binding, lineage.model_version);
        shown += &lineage.job.map_or(String::new(), |job| format!(" in job {job}"));
    }
    if record.unscored() {
        shown += " unscored";
    }
    if let Some(at) = record.expires_at() {
        shown += &format!(" until +{}", at.0 - WALL);
    }
    shown
}

fn text(record: &Record) -> String {
    String::from_utf8(record.value().to_vec()).unwrap()
}

fn card_text(record: &Record) -> String {
    let schema = cards(SchemaId(1));
    let Ok(row) = RowRef::new(&schema, record.value()) else { return "a later schema".into() };
    let score = |column| row.f32(column).map_or("-".into(), |score| score.to_string());
    format!("{}/{}/{}", row.f64(0).unwrap(), score(1), score(2))
}
