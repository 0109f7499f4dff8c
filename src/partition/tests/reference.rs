//! The core beside a model of it that knows no slots, tickets or logs: one row at a time, one operation after the other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;

use super::bench::*;
use crate::{
    binding::{Score, ScoreValue},
    partition::{Change, Effect, Input, Op, Outcome, PutMode, Request, Ticket, Ttl},
    row::RowRef,
    store::Record,
    types::{Class, Error, RequestId, RowVersion, SchemaId, SessionId},
};

const KEYS: [&str; 3] = ["a", "b", "c"];

/// One step of a history. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Put { key: usize, amount: u8, mode: Mode, ttl: bool },
    Remove { key: usize, mode: Mode },
    SetTtl { key: usize, ttl: bool },
    Retry { which: usize },
    Score { which: usize, result: Scored },
    Pass { ms: u64 },
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Always,
    IfAbsent,
    IfPresent,
    AtCurrent,
    AtOther,
}

#[derive(Clone, Copy, Debug)]
enum Scored {
    Right,
    Refused,
    Busy,
    Twice,
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..KEYS.len();
    let mode = prop_oneof![
        5 => Just(Mode::Always),
        1 => Just(Mode::IfAbsent),
        1 => Just(Mode::IfPresent),
        1 => Just(Mode::AtCurrent),
        1 => Just(Mode::AtOther),
    ];
    let result = prop_oneof![6 => Just(Scored::Right), 1 => Just(Scored::Refused), 1 => Just(Scored::Busy), 1 => Just(Scored::Twice)];
    prop_oneof![
        6 => (key.clone(), any::<u8>(), mode.clone(), prop::bool::weighted(0.2))
            .prop_map(|(key, amount, mode, ttl)| Step::Put { key, amount, mode, ttl }),
        2 => (key.clone(), mode).prop_map(|(key, mode)| Step::Remove { key, mode }),
        1 => (key, any::<bool>()).prop_map(|(key, ttl)| Step::SetTtl { key, ttl }),
        2 => any::<usize>().prop_map(|which| Step::Retry { which }),
        8 => (any::<usize>(), result).prop_map(|(which, result)| Step::Score { which, result }),
        2 => (0..40_u64).prop_map(|ms| Step::Pass { ms }),
    ]
}

/// A row as the model has it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Row {
    amount: f64,
    score: Option<f32>,
    version: u64,
    expires_at: Option<i64>,
    unscored: bool,
}

impl Row {
    fn of(record: &Record) -> Row {
        let schema = cards(SchemaId(1));
        let row = RowRef::new(&schema, record.value()).unwrap();
        Row {
            amount: row.f64(0).unwrap(),
            score: row.f32(1),
            version: record.row_version().0,
            expires_at: record.expires_at().map(|at| at.0),
            unscored: record.unscored(),
        }
    }
}

/// The score of a row of this amount.
fn right(amount: f64) -> f32 {
    amount as f32 / 2.0
}

#[derive(Default)]
struct Reference {
    rows: BTreeMap<String, Row>,
    /// By number: the request, and its answer once there is one.
    requests: Vec<(Request, Option<Result<Outcome, Error>>)>,
    /// By key, in order of arrival, who is not answered.
    waiting: BTreeMap<String, VecDeque<usize>>,
    /// What has been asked, by nonce: the amount.
    asked: BTreeMap<u64, f64>,
    entries: u64,
}

impl Reference {
    /// Follows one call's effects.
    fn follow(&mut self, effects: &[Effect]) {
        let mut decided: Option<usize> = None;
        for effect in effects {
            match effect {
                Effect::Score(task) => {
                    let schema = cards(SchemaId(1));
                    let amount = RowRef::new(&schema, &task.row).unwrap().f64(0).unwrap();
                    self.asked.insert(task.ticket.nonce, amount);
                }
                Effect::Reply { origin, answer } => {
                    let number = origin.tag as usize;
                    match &self.requests[number].1 {
                        Some(first) => assert_eq!(first, answer, "another answer to request {number}"),
                        None => {
                            self.answer(number, answer);
                            decided = (!is_untouched(answer)).then_some(number);
                        }
                    }
                }
                Effect::Publish(entry) => {
                    self.entries += 1;
                    assert_eq!(entry.position.seq.0, self.entries);
                    let number = entry.answered.as_ref().map(|answered| answered.id.number as usize - 1);
                    assert_eq!(number, decided.take(), "the entry belongs to the reply before it");
                    for change in &entry.changes {
                        self.apply(change, number);
                    }
                }
                Effect::Send { .. } | Effect::Propose { .. } | Effect::Forward { .. } | Effect::Differ(_) => {
                    panic!("it is alone")
                }
            }
        }
        assert_eq!(decided, None, "every answer is in an entry");
    }

    /// A request that comes again; what was refused for the moment comes as if for the first time.
    fn again(&mut self, number: usize) -> Request {
        let (request, answer) = &mut self.requests[number];
        if answer.as_ref().is_some_and(is_untouched) {
            *answer = None;
            self.waiting.entry(request.key.to_string()).or_default().push_back(number);
        }
        request.clone()
    }

    fn answer(&mut self, number: usize, answer: &Result<Outcome, Error>) {
        let (request, slot) = &mut self.requests[number];
        *slot = Some(answer.clone());
        let key = request.key.to_string();
        let waiting = self.waiting.get_mut(&key).unwrap();
        assert_eq!(waiting.pop_front(), Some(number), "first come, first served");
        let row = self.rows.get(&key);
        match (expected(&request.op, row), answer) {
            (Expected::Applied, Ok(outcome)) => assert!(outcome.applied),
            (Expected::NotApplied, Ok(outcome)) => {
                assert!(!outcome.applied);
                assert_eq!(outcome.version.map(|version| version.0), row.map(|row| row.version));
            }
            (Expected::Conflict, Err(error)) => assert_eq!(error.class, Class::Conflict),
            // Its score was refused, or late.
            (Expected::Applied, Err(error)) => {
                assert!(matches!(request.op, Op::Put { .. }), "{error}");
                assert!(
                    matches!(error.class, Class::Invalid | Class::Deadline | Class::Overloaded),
                    "{error}"
                );
            }
            (expected, answer) => panic!("{expected:?} and not {answer:?}"),
        }
    }

    fn apply(&mut self, change: &Change, number: Option<usize>) {
        let Some((map, old, new)) = change.row() else { return };
        assert_eq!(map, SCORED);
        let key = crate::types::Key::from_packed(new.or(old).unwrap().key()).unwrap().to_string();
        assert_eq!(old.map(Row::of), self.rows.get(&key).copied(), "the row before");
        let new = new.map(Row::of);
        match (change, number.map(|number| &self.requests[number].0.op)) {
            (Change::Put { .. }, Some(Op::Put { value, ttl, .. })) => {
                let row = new.unwrap();
                let schema = cards(SchemaId(1));
                assert_eq!(Some(row.amount), RowRef::new(&schema, value).unwrap().f64(0));
                assert_eq!(row.version, self.entries);
                assert_eq!(row.expires_at.is_some(), ttl.is_some());
                let score = (!row.unscored).then(|| right(row.amount));
                assert_eq!(row.score, score, "row and score commit together");
            }
            (Change::Remove { .. }, Some(Op::Remove { .. })) => {}
            (Change::Ttl { .. }, Some(Op::SetTtl { ttl })) => {
                let before = self.rows[&key];
                let row = new.unwrap();
                assert_eq!(Row { expires_at: row.expires_at, ..before }, row);
                assert_eq!(row.expires_at.is_some(), ttl.is_some());
            }
            (Change::Scored { .. }, None) => {
                let before = self.rows[&key];
                let score = Some(right(before.amount));
                assert_eq!(new, Some(Row { score, unscored: false, ..before }), "only the score changes");
            }
            (Change::Expire { .. }, None) => assert!(self.rows[&key].expires_at.is_some()),
            (change, op) => panic!("{change:?} by {op:?}"),
        }
        match new {
            Some(row) => drop(self.rows.insert(key, row)),
            None => drop(self.rows.remove(&key)),
        }
    }
}

/// Whether a request was refused for the moment, and nothing is recorded of it.
fn is_untouched(answer: &Result<Outcome, Error>) -> bool {
    answer.as_ref().is_err_and(|error| error.class == Class::Overloaded)
}

#[derive(Debug)]
enum Expected {
    Applied,
    NotApplied,
    Conflict,
}

fn expected(op: &Op, row: Option<&Row>) -> Expected {
    let version = row.map(|row| RowVersion(row.version));
    match op {
        Op::Put { mode: PutMode::Always, .. } => Expected::Applied,
        Op::Put { mode: PutMode::IfAbsent, .. } if row.is_none() => Expected::Applied,
        Op::Put { mode: PutMode::IfPresent, .. } if row.is_some() => Expected::Applied,
        Op::Put { mode: PutMode::IfVersion(wanted), .. } if version == Some(*wanted) => Expected::Applied,
        Op::Put { mode: PutMode::IfVersion(_), .. } => Expected::Conflict,
        Op::Remove { expected: Some(wanted), .. } if version != Some(*wanted) => Expected::Conflict,
        Op::Remove { .. } | Op::SetTtl { .. } if row.is_some() => Expected::Applied,
        _ => Expected::NotApplied,
    }
}

/// The core and the model, side by side.
struct Pair {
    bench: Bench,
    reference: Reference,
}

impl Pair {
    fn new(options: &str) -> Self {
        let bench = Bench::bound(options);
        let reference = Reference { entries: bench.core.position().seq.0, ..Reference::default() };
        Pair { bench, reference }
    }

    fn input(&mut self, input: Input) {
        let mut effects = Vec::new();
        let now = self.bench.now();
        self.bench.core.handle(now, input, &mut effects);
        self.reference.follow(&effects);
    }

    fn request(&mut self, key: usize, op: Op) {
        let number = self.reference.requests.len();
        let id = Some(RequestId { session: SessionId(1), number: number as u64 + 1 });
        let request = Request { id, ..self::op(number as u64, SCORED, KEYS[key], op) };
        self.reference.requests.push((request.clone(), None));
        self.reference.waiting.entry(KEYS[key].into()).or_default().push_back(number);
        self.input(Input::Request(request));
    }

    fn version(&self, key: usize, mode: Mode) -> Option<RowVersion> {
        let current = self.reference.rows.get(KEYS[key]).map_or(99, |row| row.version);
        match mode {
            Mode::AtCurrent => Some(RowVersion(current)),
            Mode::AtOther => Some(RowVersion(current + 1)),
            Mode::Always | Mode::IfAbsent | Mode::IfPresent => None,
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Put { key, amount, mode, ttl } => {
                let put_mode = match (mode, self.version(key, mode)) {
                    (_, Some(version)) => PutMode::IfVersion(version),
                    (Mode::IfAbsent, _) => PutMode::IfAbsent,
                    (Mode::IfPresent, _) => PutMode::IfPresent,
                    _ => PutMode::Always,
                };
                let value = card_row(SchemaId(1), f64::from(amount));
                let ttl = ttl.then_some(Ttl { ms: 60 });
                self.request(key, Op::Put { value, mode: put_mode, want_old: false, ttl });
            }
            Step::Remove { key, mode } => {
                let expected = self.version(key, mode);
                self.request(key, Op::Remove { expected, want_old: false });
            }
            Step::SetTtl { key, ttl } => self.request(key, Op::SetTtl { ttl: ttl.then_some(Ttl { ms: 30 }) }),
            Step::Retry { which } => {
                let count = self.reference.requests.len();
                if count > 0 {
                    let request = self.reference.again(which % count);
                    self.input(Input::Request(request));
                }
            }
            Step::Score { which, result } => {
                let asked = &mut self.reference.asked;
                let Some((nonce, amount)) =
                    asked.iter().nth(which % asked.len().max(1)).map(|(a, b)| (*a, *b))
                else {
                    return;
                };
                asked.remove(&nonce);
                self.score(nonce, amount, result);
            }
            Step::Pass { ms } => {
                self.bench.now_us += ms * 1_000;
                self.input(Input::Tick);
            }
        }
    }

    fn score(&mut self, nonce: u64, amount: f64, result: Scored) {
        let ticket = Ticket { epoch: crate::types::Epoch(1), nonce };
        let scores =
            || Ok([Score { column: 1, value: ScoreValue::F32(right(amount)) }].into_iter().collect());
        let times = if matches!(result, Scored::Twice) { 2 } else { 1 };
        for _ in 0..times {
            let result = match result {
                Scored::Right | Scored::Twice => scores(),
                Scored::Refused => Err(Error::invalid("the row cannot be scored")),
                Scored::Busy => Err(Error::overloaded("the pool is full")),
            };
            self.input(Input::Scored { ticket, result });
        }
    }

    /// Everything asked for is answered, and time passes until nothing is due.
    fn settle(&mut self) {
        for _ in 0..1_000 {
            while let Some((nonce, amount)) = self.reference.asked.pop_first() {
                self.score(nonce, amount, Scored::Right);
            }
            let Some(due) = self.bench.core.next_deadline() else { break };
            self.bench.now_us = self.bench.now_us.max(due);
            self.input(Input::Tick);
        }
        assert!(self.reference.requests.iter().all(|(_, answer)| answer.is_some()), "everyone is answered");
        assert_eq!(self.bench.core.under_way(), 0);
        assert_eq!(self.bench.core.unscored(), 0);
        let stored: BTreeSet<String> = KEYS
            .iter()
            .filter(|key| self.bench.read(SCORED, key).is_some())
            .map(|key| (*key).into())
            .collect();
        assert_eq!(stored, self.reference.rows.keys().cloned().collect());
        for (key, row) in &self.reference.rows {
            assert_eq!(Some(*row), self.bench.read(SCORED, key).as_ref().map(Row::of));
            assert_eq!(row.score, Some(right(row.amount)), "every score came in the end");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_core_does_as_its_model_does(
        steps in prop::collection::vec(step(), 1..120),
        options in prop_oneof![
            Just("deadline_ms = 50"),
            Just("deadline_ms = 50\non_deadline = \"store_unscored\""),
            Just("mode = \"async\""),
        ],
    ) {
        let mut pair = Pair::new(options);
        for step in &steps {
            pair.step(step);
        }
        pair.settle();
    }
}
