//! The scheduler: what happens, when, to whom.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use embergrid::binding::{Features, Matrix, Score, ScoreValue, Scores};
use embergrid::feed::{self, Feed, Source, SubscriberId};
use embergrid::partition::{
    Core, Effect, Input, Limits, Origin, Outcome, Request, ScoreTask, Setup, Ticket, Timing, View,
};
use embergrid::row::RowRef;
use serde::Serialize;

use embergrid::types::{
    Class, Error, JoinId, Key, MapId, Now, PartitionId, Position, RequestId, SessionId, Timestamp,
};

use super::client::{self, Client};
use super::follower::{self, Follower};
use super::oracle::{self, Oracle};
use crate::dice::Dice;
use crate::grid;
use crate::linear::History;

const CLIENTS: u64 = 4;
const REQUESTS: u64 = 50;
const OUTSTANDING: usize = 4;
const RETRY_US: u64 = 15_000;
const LEASE_US: u64 = 40_000;
/// Long enough for a lost score to be asked for again, a few times.
const REST_US: u64 = 60_000_000;
/// The only one.
const SUBSCRIBER: SubscriberId = SubscriberId(1);
/// Events that it takes before it has to be asked.
const CREDITS: u32 = 1;
/// More steps than any run needs: one that takes more is stuck.
const STEPS: usize = 100_000;
/// The time of day when a run begins.
const BIRTH_MS: i64 = 1_700_000_000_000;

/// What a run is to show.
#[derive(Default)]
pub(crate) struct Plan {
    /// Now and then, the model is wrong.
    pub(crate) wrong_scores: bool,
    /// Clients break the rule that makes retries safe.
    pub(crate) retries_with_new_numbers: bool,
    /// Reads now and then find nothing.
    pub(crate) stale_reads: bool,
}

/// What a run came to.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    pub(crate) trace: u64,
    pub(crate) repeated: u64,
    pub(crate) refused: u64,
    pub(crate) overloaded: u64,
    pub(crate) unserved: u64,
    pub(crate) scored_late: u64,
    pub(crate) expired: u64,
    pub(crate) overruns: u64,
}

impl Summary {
    pub(crate) fn add(&mut self, other: &Self) {
        self.repeated += other.repeated;
        self.refused += other.refused;
        self.overloaded += other.overloaded;
        self.unserved += other.unserved;
        self.scored_late += other.scored_late;
        self.expired += other.expired;
        self.overruns += other.overruns;
    }
}

enum Happening {
    Ask(u64),
    Arrive(Box<Request>),
    Retry(u64, u64),
    Answer(Origin, Box<Result<Outcome, Error>>),
    Scored(Ticket, Result<Scores, Error>),
    View(Arc<View>),
    Lease,
    Read,
    /// The subscriber can take so many events more.
    Credit(u32),
    /// The subscriber's connection breaks, and it comes back.
    Reconnect,
    Bookmark,
}

/// One run.
pub(crate) struct World<'p> {
    plan: &'p Plan,
    dice: Dice,
    core: Core,
    feed: Feed,
    follower: Follower,
    /// The rows that the follower is to know after each entry.
    history: BTreeMap<Position, follower::Rows>,
    oracle: Oracle,
    /// What the clients saw, judged apart from the oracle.
    seen: History,
    clients: BTreeMap<u64, Client>,
    /// By time, then by the order of scheduling.
    queue: BTreeMap<(u64, u64), Happening>,
    scheduled: u64,
    now_us: u64,
    /// The clock of the day is off by so much.
    skew_ms: i64,
    lease_until_us: u64,
    /// What the clients pack rows by.
    view: Arc<View>,
    trace: DefaultHasher,
    summary: Summary,
}

impl<'p> World<'p> {
    pub(crate) fn new(seed: u64, plan: &'p Plan) -> Self {
        let limits = Limits {
            ops: 10,
            session_answers: client::WINDOW as usize,
            log_entries: 24,
            ..Limits::default()
        };
        let setup = Setup {
            partition: PartitionId(0),
            configuration: Arc::new(grid::configuration()),
            me: JoinId(1),
            limits,
            timing: Timing::default(),
            seed,
        };
        let mut world = Self {
            plan,
            dice: Dice::new(seed),
            core: Core::new(setup),
            feed: Feed::default(),
            follower: Follower::default(),
            history: BTreeMap::new(),
            oracle: Oracle::default(),
            seen: History::default(),
            clients: (1..=CLIENTS).map(|session| (session, Client::new(session, REQUESTS))).collect(),
            queue: BTreeMap::new(),
            scheduled: 0,
            now_us: 1,
            skew_ms: 0,
            lease_until_us: 0,
            view: Arc::default(),
            trace: DefaultHasher::new(),
            summary: Summary::default(),
        };
        let views = grid::views();
        world.oracle.views = views.clone();
        world.view = views[0].clone();
        world.plan_ahead(views);
        world
    }

    fn plan_ahead(&mut self, views: Vec<Arc<View>>) {
        self.after(0, Happening::Lease);
        for (at, view) in views.into_iter().enumerate() {
            let cut_over = at as u64 * self.dice.between(30_000, 150_000);
            self.after(cut_over, Happening::View(view));
        }
        for session in 1..=CLIENTS {
            (0..OUTSTANDING).for_each(|_| self.after(1_000, Happening::Ask(session)));
        }
        (0..200).for_each(|read| self.after(read * 2_000, Happening::Read));
        (1..6).for_each(|time| self.after(time * 60_000, Happening::Reconnect));
        self.after(500, Happening::Reconnect);
        self.after(10_000, Happening::Bookmark);
    }

    fn after(&mut self, delay_us: u64, happening: Happening) {
        self.scheduled += 1;
        self.queue.insert((self.now_us + delay_us, self.scheduled), happening);
    }

    /// Runs until every request is answered and everything has come to rest.
    pub(crate) fn run(mut self) -> Result<Summary, String> {
        let mut resting_since = None;
        for _ in 0..STEPS {
            self.step()?;
            let done = self.clients.values().all(Client::is_done);
            let since = *resting_since.get_or_insert(self.now_us);
            if !done {
                resting_since = None;
            } else if self.now_us > since + REST_US {
                return self.end();
            }
        }
        Err("the run does not come to rest".into())
    }

    fn step(&mut self) -> Result<(), String> {
        let next = self.queue.keys().next().copied().ok_or("nothing is left to happen")?;
        match self.core.next_deadline() {
            Some(deadline) if deadline < next.0 => {
                self.now_us = self.now_us.max(deadline);
                self.tell(Input::Tick)
            }
            _ => {
                self.now_us = next.0;
                let happening = self.queue.remove(&next).expect("just seen");
                self.happen(happening)
            }
        }
    }

    fn happen(&mut self, happening: Happening) -> Result<(), String> {
        match happening {
            Happening::Ask(session) => drop(self.ask(session)),
            Happening::Arrive(request) => return self.tell(Input::Request(*request)),
            Happening::Retry(session, number) => self.retry(session, number),
            Happening::Answer(origin, answer) => return self.answer(origin, *answer),
            Happening::Scored(ticket, result) => return self.tell(Input::Scored { ticket, result }),
            Happening::View(view) => return self.tell(Input::View(view)),
            Happening::Lease => return self.renew(),
            Happening::Read => return self.read(),
            Happening::Credit(events) => return self.follow(feed::Input::Credit { id: SUBSCRIBER, events }),
            Happening::Reconnect => return self.reconnect(),
            Happening::Bookmark => {
                self.after(10_000, Happening::Bookmark);
                return self.follow(feed::Input::Bookmark);
            }
        }
        Ok(())
    }

    fn ask(&mut self, session: u64) -> bool {
        let client = self.clients.get_mut(&session).unwrap();
        let Some(request) = client.ask(&mut self.dice, &self.view, self.now_us) else { return false };
        self.oracle.asked(&request);
        self.seen.asked(&request, self.now_us);
        self.send(request);
        true
    }

    /// Over a network that delays, drops and repeats.
    fn send(&mut self, request: Request) {
        let RequestId { session, number } = request.id.unwrap();
        self.after(RETRY_US, Happening::Retry(session.0, number));
        let copies = self.dice.one_of(&[0, 1, 1, 1, 1, 1, 1, 1, 2, 2]);
        for _ in 0..copies {
            let delay = self.dice.between(50, 3_000);
            self.after(delay, Happening::Arrive(Box::new(request.clone())));
        }
    }

    fn retry(&mut self, session: u64, number: u64) {
        let Some(mut request) = self.clients[&session].again(number) else { return };
        self.summary.repeated += 1;
        if self.plan.retries_with_new_numbers {
            request.id = Some(RequestId { session: SessionId(session + oracle::ALIAS), number });
        }
        self.send(request);
    }

    fn answer(&mut self, origin: Origin, answer: Result<Outcome, Error>) -> Result<(), String> {
        let (session, number) = (u64::from(origin.connection), origin.tag);
        let client = self.clients.get_mut(&session).unwrap();
        if !client.outstanding.contains_key(&number) {
            return Ok(());
        }
        let id = RequestId { session: SessionId(session), number };
        let is_last = self.oracle.answer(id, &answer)?;
        if let Err(error) = &answer {
            self.summary.refused += u64::from(is_last);
            self.summary.overloaded += u64::from(error.class == Class::Overloaded);
        }
        if !is_last {
            return Ok(());
        }
        self.seen.answered(id, &answer, self.now_us);
        client.answered(number, answer.ok().and_then(|outcome| outcome.version));
        while self.clients[&session].outstanding.len() < OUTSTANDING && self.ask(session) {}
        Ok(())
    }

    /// The lease is renewed in time, or not.
    fn renew(&mut self) -> Result<(), String> {
        let late = self.dice.percent(10);
        let next = if late { LEASE_US * 2 } else { LEASE_US / 2 };
        self.after(next, Happening::Lease);
        self.skew_ms = self.dice.below(400) as i64 - 200;
        self.lease_until_us = self.now_us + LEASE_US;
        self.tell(Input::Lease { until_us: self.lease_until_us })
    }

    /// A read gives the row as committed, or says that it may not.
    fn read(&mut self) -> Result<(), String> {
        let map = grid::map_id(&self.view, self.dice.one_of(&[grid::PLAIN, grid::STRICT, grid::LENIENT]));
        let key = Key::from(self.dice.below(4) as i64);
        let read = self.core.reader().read(map, key.packed(), || self.now_us);
        let expected = self.oracle.rows.get(&(map, key.packed().to_vec()));
        match read {
            Ok(record) if self.now_us < self.lease_until_us => {
                let stale = self.plan.stale_reads && self.dice.percent(50);
                let seen = if stale { None } else { record.as_ref() };
                self.seen.read(map, key.packed(), seen, (self.now_us, self.now_us));
                let same = record.as_ref() == expected;
                if same { Ok(()) } else { Err(format!("read {record:?}, committed is {expected:?}")) }
            }
            Err(_) if self.now_us >= self.lease_until_us => {
                self.summary.unserved += 1;
                Ok(())
            }
            other => Err(format!("at {} with a lease until {}: {other:?}", self.now_us, self.lease_until_us)),
        }
    }

    fn tell(&mut self, input: Input) -> Result<(), String> {
        let wall = Timestamp(BIRTH_MS + (self.now_us / 1_000) as i64 + self.skew_ms);
        let mut effects = Vec::new();
        self.core.handle(Now { mono_us: self.now_us, wall }, input, &mut effects);
        for effect in effects {
            format!("{} {effect:?}", self.now_us).hash(&mut self.trace);
            match effect {
                Effect::Score(task) => self.score(&task),
                Effect::Publish(entry) => {
                    self.oracle.entry(&entry)?;
                    self.history.insert(entry.position, follower::matching(&self.oracle, &self.view));
                }
                Effect::Reply { origin, answer } => {
                    if !self.dice.percent(10) {
                        let delay = self.dice.between(50, 3_000);
                        self.after(delay, Happening::Answer(origin, Box::new(answer)));
                    }
                }
                other @ (Effect::Send { .. }
                | Effect::Propose { .. }
                | Effect::Forward { .. }
                | Effect::Differ(_)) => {
                    return Err(format!("it is alone, and yet: {other:?}"));
                }
            }
        }
        self.advance_feed()
    }

    fn advance_feed(&mut self) -> Result<(), String> {
        let mut effects = Vec::new();
        let reader = self.core.reader();
        self.feed
            .advance(&Source { log: self.core.log(), reader: &reader, view: self.core.view() }, &mut effects);
        self.deliver(effects)
    }

    fn follow(&mut self, input: feed::Input) -> Result<(), String> {
        let mut effects = Vec::new();
        let reader = self.core.reader();
        self.feed.handle(
            input,
            &Source { log: self.core.log(), reader: &reader, view: self.core.view() },
            &mut effects,
        );
        self.deliver(effects)
    }

    fn reconnect(&mut self) -> Result<(), String> {
        self.follow(feed::Input::Cancel { id: SUBSCRIBER })?;
        let (filter, start) = (follower::filter(&self.view), self.follower.resume());
        self.follow(feed::Input::Subscribe { id: SUBSCRIBER, filter, start, credits: CREDITS })
    }

    fn deliver(&mut self, effects: Vec<feed::Effect>) -> Result<(), String> {
        for effect in effects {
            format!("{} {effect:?}", self.now_us).hash(&mut self.trace);
            let feed::Effect::Deliver { message, .. } = effect else { return Err(format!("{effect:?}")) };
            self.follower.take(&message, &self.history)?;
            if let feed::Message::Snapshot { events } | feed::Message::Changes { events, .. } = message {
                // Mostly it keeps up; now and then the log moves on without it.
                let pause = if self.dice.percent(5) {
                    self.dice.between(30_000, 120_000)
                } else {
                    self.dice.below(2_000)
                };
                self.after(pause, Happening::Credit(events.len() as u32));
            }
        }
        Ok(())
    }

    /// The model answers, mostly in time; now and then late, with a failure, twice, or never.
    fn score(&mut self, task: &ScoreTask) {
        let delay = if self.dice.percent(10) {
            self.dice.between(4_000, 9_000)
        } else {
            self.dice.between(50, 2_000)
        };
        let result = match self.dice.below(100) {
            0..3 => return,
            3..6 => Err(Error::overloaded("the pool is full")),
            _ => Ok(self.scores(task)),
        };
        if self.dice.percent(3) {
            self.after(delay + 500, Happening::Scored(task.ticket, result.clone()));
        }
        self.after(delay, Happening::Scored(task.ticket, result));
    }

    fn scores(&mut self, task: &ScoreTask) -> Scores {
        let mut features = Features::new(&task.binding);
        let row = RowRef::new(task.map.map.schema().unwrap(), &task.row).unwrap();
        task.binding.gather(&row, &task.key, &mut features).unwrap();
        let Matrix::I64 { data, .. } = &features.inputs[0] else { panic!("the model takes i64") };
        let wrong = self.plan.wrong_scores && self.dice.percent(50);
        let value = grid::risk(data[0], task.binding.model.version) + f32::from(u8::from(wrong));
        let column = task.binding.outputs[0].column;
        [Score { column, value: ScoreValue::F32(value) }].into_iter().collect()
    }

    /// At rest, nothing is owed and the store holds what the entries say.
    fn end(mut self) -> Result<Summary, String> {
        if self.core.under_way() > 0 || self.core.unscored() > 0 {
            return Err(format!(
                "{} under way, {} unscored at rest",
                self.core.under_way(),
                self.core.unscored()
            ));
        }
        self.follow(feed::Input::Bookmark)?;
        if self.follower.place() != Some(self.core.position()) {
            return Err(format!(
                "the subscriber is at {:?} of {}",
                self.follower.place(),
                self.core.position()
            ));
        }
        for name in [grid::PLAIN, grid::STRICT, grid::LENIENT] {
            let map = grid::map_id(&self.view, name);
            self.check_map(map)?;
        }
        self.seen.check(|_| true)?;
        self.summary.trace = self.trace.finish();
        self.summary.scored_late = self.oracle.scored_late;
        self.summary.expired = self.oracle.expired;
        self.summary.overruns = self.follower.overruns;
        Ok(self.summary)
    }

    fn check_map(&self, map: MapId) -> Result<(), String> {
        let reader = self.core.reader();
        let mut cursor = Some(Default::default());
        let mut stored = BTreeMap::new();
        while let Some(at) = cursor {
            let (records, next) = reader.scan(map, at).map_err(|error| error.to_string())?;
            stored.extend(records.into_iter().map(|record| ((map, record.key().to_vec()), record)));
            cursor = next;
        }
        let expected: BTreeMap<_, _> = self
            .oracle
            .rows
            .iter()
            .filter(|((of, _), _)| *of == map)
            .map(|(key, row)| (key.clone(), row.clone()))
            .collect();
        if stored == expected { Ok(()) } else { Err(format!("stored {stored:?}, committed {expected:?}")) }
    }
}
