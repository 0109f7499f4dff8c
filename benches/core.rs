//! What the core and the store cost by themselves: nanoseconds of one thread an operation, nothing around them.
//!
//! `cargo bench --bench core --no-default-features --features grid [-- --json]`

#[path = "harness/arguments.rs"]
mod arguments;
#[path = "harness/report.rs"]
#[allow(dead_code, reason = "each bench uses its part")]
mod report;

use std::hint::black_box;
use std::sync::Arc;

use arguments::Arguments;
use bytes::Bytes;
use embergrid::binding::{Score, ScoreValue};
use embergrid::catalog::{
    BindingFile, Catalogue, Command, Configuration, Founding, InputSignature, MapFile, ModelKind,
    ModelVersion, Node, NullPolicy, NumberKind, OutputKind, OutputSignature, Replica,
};
use embergrid::partition::{Core, Effect, Input, Limits, Op, Origin, PutMode, Request, Setup, Timing, View};
use embergrid::row::{Builder, Column, Kind, Scalar, Schema};
use embergrid::store::Cursor;
use embergrid::types::{
    Digest, Epoch, Generation, JoinId, Key, KeyRef, MapId, NodeId, Now, PartitionId, RequestId, SchemaId,
    SessionId, Timestamp,
};
use report::{Cell, Report};

const PARTITIONS: usize = 271;
const PLAIN: MapId = MapId(1);
const CARDS: MapId = MapId(2);
const FEATURES: usize = 30;
/// Requests that a session has outstanding, as fifty callers have.
const OUTSTANDING: u64 = 50;

fn main() {
    let arguments = Arguments::read();
    let mut report = Report::new("core");
    for keys in [10_000, 1_000_000 / arguments.divisor] {
        let mut grid = Grid::new(keys);
        let ops = 2_000_000 / arguments.divisor;
        grid.sets(keys);
        let mut best = |name: &str, run: &mut dyn FnMut(&mut Grid)| {
            let ns =
                (0..arguments.rounds).map(|_| nanoseconds(ops, || run(&mut grid))).min_by(f64::total_cmp);
            report.add(Cell::alone(format!("{name}, {keys} keys"), "ns", ns.unwrap_or(f64::NAN)));
        };
        best("set of 128 B with a request id", &mut |grid| grid.sets(ops));
        best("get of 128 B", &mut |grid| grid.gets(ops));
        best("put of 30 features and its score", &mut |grid| grid.scored(ops));
        let mut holds = grid.holds();
        holds.sort_unstable();
        for (name, hold_ns) in [("median", holds[holds.len() / 2]), ("longest", holds[holds.len() - 1])] {
            let name = format!("a scan keeps the writer of a shard waiting, {name}, {keys} keys");
            report.add(Cell::alone(name, "us", hold_ns as f64 / 1e3));
        }
    }
    report.print(arguments.json);
}

fn nanoseconds(ops: u64, run: impl FnOnce()) -> f64 {
    let start = busy_ns();
    run();
    (busy_ns() - start) as f64 / ops as f64
}

/// What this thread has computed so far, not counting the time in which others had the processor.
fn busy_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    stat.split(' ').next().and_then(|ns| ns.parse().ok()).expect("nanoseconds")
}

/// The cores of all partitions.
struct Grid {
    cores: Vec<Core>,
    keys: Vec<Key>,
    value: Bytes,
    row: Bytes,
    number: u64,
    effects: Vec<Effect>,
}

impl Grid {
    fn new(keys: u64) -> Self {
        let catalogue = catalogue();
        let view = Arc::new(View::compile(&catalogue).expect("the binding fits"));
        let mut effects = Vec::new();
        let cores = (0..PARTITIONS).map(|partition| core(partition, &view, &mut effects)).collect();
        let key = |number: u64| Key::new(KeyRef::Str(&format!("key:{number:012}")), None).expect("short");
        let schema = catalogue.map("cards").expect("created").schema().expect("a feature map").clone();
        let mut row = Builder::new(&schema);
        (0..FEATURES).for_each(|i| row.set(i, Scalar::F64(i as f64)).expect("a number"));
        Grid {
            cores,
            keys: (0..keys).map(key).collect(),
            value: Bytes::from_static(&[b'x'; 128]),
            row: row.finish().expect("all set").into(),
            number: 0,
            effects,
        }
    }

    /// A key and its partition, spread over all of them.
    fn next(&mut self) -> (usize, Key) {
        self.number += 1;
        // Coprime with the number of keys: each comes once a round, in no order that caches like.
        let at = (self.number * 7_919) as usize % self.keys.len();
        (at % PARTITIONS, self.keys[at].clone())
    }

    fn request(&mut self, map: MapId, key: Key, value: Bytes) -> Input {
        Input::Request(Request {
            origin: Origin { connection: 1, tag: self.number },
            id: Some(RequestId { session: SessionId(1), number: self.number }),
            acknowledged_below: self.number.saturating_sub(OUTSTANDING),
            map,
            key,
            op: Op::Put { value, mode: PutMode::Always, want_old: false, ttl: None },
            deadline_us: None,
        })
    }

    fn sets(&mut self, ops: u64) {
        for _ in 0..ops {
            let (partition, key) = self.next();
            let input = self.request(PLAIN, key, self.value.clone());
            self.cores[partition].handle(now(self.number), input, &mut self.effects);
            black_box(&self.effects);
            self.effects.clear();
        }
    }

    fn scored(&mut self, ops: u64) {
        for _ in 0..ops {
            let (partition, key) = self.next();
            let input = self.request(CARDS, key, self.row.clone());
            let core = &mut self.cores[partition];
            core.handle(now(self.number), input, &mut self.effects);
            let Some(Effect::Score(task)) = self.effects.pop() else { panic!("a bound map is scored") };
            let scores = [Score { column: FEATURES, value: ScoreValue::F32(0.5) }].into_iter().collect();
            let input = Input::Scored { ticket: task.ticket, result: Ok(scores) };
            core.handle(now(self.number), input, &mut self.effects);
            black_box(&self.effects);
            self.effects.clear();
        }
    }

    fn gets(&mut self, ops: u64) {
        let readers: Vec<_> = self.cores.iter().map(Core::reader).collect();
        for _ in 0..ops {
            let (partition, key) = self.next();
            let found = readers[partition].read(PLAIN, key.packed(), || 0).expect("the lease stands");
            black_box(found.expect("it was set").value());
        }
    }
}

impl Grid {
    /// How long each shard of the plain map is locked by a scan, at most: as long as the copy of its handles takes.
    fn holds(&self) -> Vec<u64> {
        let mut holds = Vec::new();
        for reader in self.cores.iter().map(Core::reader) {
            let mut cursor = Some(Cursor::default());
            while let Some(at) = cursor {
                let start = busy_ns();
                let (records, next) = reader.scan(PLAIN, at).expect("the map is there");
                holds.push(busy_ns() - start);
                black_box(records);
                cursor = next;
            }
        }
        holds
    }
}

fn now(number: u64) -> Now {
    Now { mono_us: number, wall: Timestamp(1_700_000_000_000 + number as i64 / 1_000) }
}

fn core(partition: usize, view: &Arc<View>, effects: &mut Vec<Effect>) -> Core {
    let replica = Replica { join: JoinId(1), node: NodeId(1) };
    let mut core = Core::new(Setup {
        partition: PartitionId(partition as u16),
        configuration: Arc::new(Configuration::sole(Generation(1), Epoch(1), replica)),
        me: JoinId(1),
        limits: Limits::default(),
        timing: Timing::default(),
        seed: 7,
    });
    core.handle(now(0), Input::Lease { until_us: u64::MAX }, effects);
    core.handle(now(0), Input::View(view.clone()), effects);
    effects.clear();
    core
}

fn catalogue() -> Catalogue {
    let features: Vec<String> = (0..FEATURES).map(|i| format!("f{i}")).collect();
    let mut columns: Vec<Column> = features.iter().map(|name| Column::new(name, Kind::F64)).collect();
    columns.push(Column::score("risk", Kind::F32));
    let schema = Schema::new(SchemaId(0), columns).expect("a sound schema");
    let input = InputSignature {
        name: "X".into(),
        kind: NumberKind::F32,
        width: FEATURES,
        features,
        null: NullPolicy::Reject,
    };
    let version = ModelVersion {
        name: "fraud".into(),
        version: 1,
        digest: Digest::of(b""),
        kind: ModelKind::Onnx,
        bytes: 0,
        inputs: vec![input],
        outputs: vec![OutputSignature {
            name: "p".into(),
            kind: OutputKind::F32,
            elements: vec!["0".into()],
        }],
    };
    let binding =
        "format = 1\nname = \"risk\"\nmap = \"cards\"\nmodel = \"fraud@1\"\n[outputs]\nrisk = \"p[0]\"\n";
    let node = Node {
        id: NodeId(1),
        name: "one".into(),
        address: "127.0.0.1:1".into(),
        peer_address: "127.0.0.1:2".into(),
    };
    let mut catalogue = Catalogue::default();
    for command in [
        Command::Found(Founding::alone(1, PARTITIONS as u16, node)),
        Command::CreateMap(MapFile::plain("plain")),
        Command::CreateMap(MapFile { schema: Some(schema), ..MapFile::plain("cards") }),
        Command::AddModel { version, alias: None },
        Command::ApplyBinding(BindingFile::parse("risk", binding).expect("a sound binding")),
    ] {
        catalogue.apply(&command).expect("the commands fit");
    }
    catalogue
}
