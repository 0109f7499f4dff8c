//! Rule 26, on exact messages. A message is written as one line, see [`line`].

use std::sync::Arc;

use super::*;
use crate::{
    catalog::{Command, MapFile},
    partition::{Limits, Op, PutMode, Ttl, tests::bench::*},
    row::{Builder, Column, Kind, Scalar, Schema},
    store::Record,
    types::{Epoch, Generation, SchemaId, Seq},
};

const NOTHING: [&str; 0] = [];
const ME: SubscriberId = SubscriberId(1);

/// A partition and its feed.
struct Stream {
    bench: Bench,
    feed: Feed,
}

impl Stream {
    fn new() -> Self {
        Stream::of(Limits::default())
    }

    fn of(limits: Limits) -> Self {
        Stream { bench: Bench::of(1, limits), feed: Feed::default() }
    }

    fn subscribe(&mut self, map: &str, text: Option<&str>, start: Start, credits: u32) -> Vec<String> {
        let filter = Filter::compile(self.bench.catalogue.map(map).unwrap(), text).unwrap();
        self.input(Input::Subscribe { id: ME, filter, start, credits })
    }

    fn put(&mut self, key: &str, value: &str) -> Vec<String> {
        self.bench.request(put(0, key, value));
        self.advance()
    }

    fn card(&mut self, key: &str, amount: f64) -> Vec<String> {
        self.bench.request(card(0, key, amount));
        self.advance()
    }

    fn credit(&mut self, events: u32) -> Vec<String> {
        self.input(Input::Credit { id: ME, events })
    }

    fn bookmark(&mut self) -> Vec<String> {
        self.input(Input::Bookmark)
    }

    fn input(&mut self, input: Input) -> Vec<String> {
        self.feed_does(|feed, source, effects| feed.handle(input, source, effects))
    }

    fn advance(&mut self) -> Vec<String> {
        self.feed_does(|feed, source, effects| feed.advance(source, effects))
    }

    fn feed_does(&mut self, act: impl FnOnce(&mut Feed, &Source<'_>, &mut Vec<Effect>)) -> Vec<String> {
        let mut effects = Vec::new();
        let reader = self.bench.core.reader();
        act(
            &mut self.feed,
            &Source { log: self.bench.core.log(), reader: &reader, view: self.bench.core.view() },
            &mut effects,
        );
        effects.iter().map(line).collect()
    }
}

fn at(seq: u64) -> Position {
    Position { generation: Generation(1), epoch: Epoch(1), seq: Seq(seq) }
}

fn line(effect: &Effect) -> String {
    let events = |events: &[Event]| events.iter().map(event).collect::<Vec<_>>().join(", ");
    match effect {
        Effect::End { error, .. } => format!("end: {}", error.message),
        Effect::Deliver { message, .. } => match message {
            Message::Snapshot { events: shown } => format!("snapshot {}", events(shown)),
            Message::SnapshotEnd { at } => format!("snapshot end {}", at.seq),
            Message::Changes { after, upto, events: told } => {
                format!("({}, {}] {}", after.seq, upto.seq, events(told)).trim_end().into()
            }
            Message::Overrun => "overrun".into(),
        },
    }
}

fn event(event: &Event) -> String {
    let map = if event.row.value().len() < 9 { PLAIN } else { SCORED };
    let show = |record: &Record| shown(map, record);
    let at = event.at.map_or(String::new(), |at| format!(" at {}", at.seq));
    let event = match (event.kind, &event.old) {
        (EventKind::Snapshot, _) => show(&event.row),
        (EventKind::Added, _) => format!("added {}", show(&event.row)),
        (EventKind::Updated, Some(old)) => format!("updated {} -> {}", show(old), show(&event.row)),
        (EventKind::Updated, None) => panic!("nothing was updated"),
        (EventKind::Removed, _) => format!("removed {} v{}", show(&event.row), event.version),
    };
    event + &at
}

#[test]
fn every_change_once_in_order_with_its_range() {
    let mut stream = Stream::new();
    assert_eq!(stream.put("z", "before"), NOTHING);
    assert_eq!(stream.subscribe("plain", None, Start::Now, 100), ["(2, 2]"], "it can resume from the start");
    assert_eq!(stream.put("a", "x"), ["(2, 3] added a=x@3 at 3"]);
    assert_eq!(stream.put("a", "y"), ["(3, 4] updated a=x@3 -> a=y@4 at 4"]);
    stream.bench.request(remove(0, "a", None));
    stream.bench.request(put(0, "b", "z"));
    assert_eq!(stream.advance(), ["(4, 6] removed a=y@4 v5 at 5, added b=z@6 at 6"]);
    assert_eq!(stream.advance(), NOTHING);
}

#[test]
fn added_and_removed_mean_entering_and_leaving_the_predicate() {
    let mut stream = Stream::new();
    stream.subscribe("cards", Some("amount > 10"), Start::Now, 100);
    assert_eq!(stream.card("a", 1.0), NOTHING);
    assert_eq!(
        stream.card("a", 11.0),
        ["(1, 3] added a=11/-/-@3 at 3"],
        "the range covers what was left out"
    );
    assert_eq!(stream.card("a", 12.0), ["(3, 4] updated a=11/-/-@3 -> a=12/-/-@4 at 4"]);
    assert_eq!(stream.put("other map", "x"), NOTHING);
    assert_eq!(stream.card("a", 2.0), ["(4, 6] removed a=12/-/-@4 v6 at 6"]);
    assert_eq!(stream.card("a", 3.0), NOTHING);
}

#[test]
fn a_score_may_bring_a_row_in() {
    let mut stream = Stream::new();
    stream.bench.bind("risk", "mode = \"async\"");
    stream.bench.cut_over();
    stream.subscribe("cards", Some("risk > 0.9"), Start::Now, 100);
    assert_eq!(stream.card("a", 1.0), NOTHING);
    stream.bench.scored(1, 0.95);
    assert_eq!(stream.advance(), ["(2, 4] added a=1/0.95/-@3 by 1:1 at 4"]);
}

#[test]
fn a_change_of_expiry_is_no_change_of_the_row() {
    let mut stream = Stream::new();
    stream.subscribe("plain", None, Start::Now, 100);
    stream.put("a", "x");
    stream.bench.request(op(0, PLAIN, "a", Op::SetTtl { ttl: Some(Ttl { ms: 5 }) }));
    assert_eq!(stream.advance(), NOTHING);
    stream.bench.tick(9_000);
    assert_eq!(stream.advance(), ["(2, 4] removed a=x@2 until +5 v4 at 4"]);
}

#[test]
fn idle_streams_say_how_far_they_are() {
    let mut stream = Stream::new();
    stream.subscribe("cards", None, Start::Now, 100);
    assert_eq!(stream.bookmark(), NOTHING);
    stream.put("a", "x");
    stream.put("a", "y");
    assert_eq!(stream.bookmark(), ["(1, 3]"]);
    assert_eq!(stream.bookmark(), NOTHING);
    assert_eq!(stream.card("c", 1.0), ["(3, 4] added c=1/-/-@4 at 4"]);
}

#[test]
fn a_stream_resumes_where_it_was() {
    let mut stream = Stream::new();
    for value in ["x", "y", "z"] {
        stream.put("a", value);
    }
    assert_eq!(
        stream.subscribe("plain", None, Start::After(at(2)), 100),
        ["(2, 4] updated a=x@2 -> a=y@3 at 3, updated a=y@3 -> a=z@4 at 4"]
    );
    assert_eq!(stream.subscribe("plain", None, Start::After(at(4)), 100), NOTHING);
    let elsewhere = Position { epoch: Epoch(9), ..at(3) };
    assert_eq!(
        stream.subscribe("plain", None, Start::After(elsewhere), 100),
        ["overrun", "snapshot a=z@4", "snapshot end 4"]
    );
}

#[test]
fn without_credit_nothing_is_sent_and_nothing_is_lost() {
    let mut stream = Stream::new();
    stream.subscribe("plain", None, Start::Now, 1);
    assert_eq!(stream.put("a", "1"), ["(1, 2] added a=1@2 at 2"]);
    assert_eq!(stream.put("a", "2"), NOTHING);
    assert_eq!(stream.put("b", "3"), NOTHING);
    assert_eq!(stream.bookmark(), NOTHING);
    assert_eq!(stream.credit(1), ["(2, 3] updated a=1@2 -> a=2@3 at 3"]);
    assert_eq!(stream.credit(5), ["(3, 4] added b=3@4 at 4"]);
    assert_eq!(stream.put("b", "4"), ["(4, 5] updated b=3@4 -> b=4@5 at 5"]);
}

#[test]
fn who_is_too_slow_is_told_and_begins_anew() {
    let mut stream = Stream::of(Limits { log_entries: 2, ..Limits::default() });
    stream.subscribe("plain", None, Start::Now, 0);
    for (key, value) in [("a", "1"), ("b", "2"), ("b", "3"), ("b", "4")] {
        assert_eq!(stream.put(key, value), NOTHING);
    }
    let told = stream.credit(10);
    assert_eq!(told.first().unwrap(), "overrun");
    assert_eq!(told.last().unwrap(), "snapshot end 5");
    let rows: Vec<String> = state(&told[1..]).into_values().collect();
    assert_eq!(rows, ["a=1@2", "b=4@5"]);
    assert_eq!(stream.put("c", "5"), ["(5, 6] added c=5@6 at 6"]);
}

/// A hundred rows; a subscriber to the sixty from 40 on, with credit for the first seven.
fn slow_snapshot() -> (Stream, Vec<String>) {
    let mut stream = Stream::new();
    for number in 0..100 {
        stream.card(&format!("{number:02}"), f64::from(number));
    }
    let told = stream.subscribe("cards", Some("amount >= 40"), Start::Snapshot, 7);
    (stream, told)
}

/// What a client has after these messages, by key.
fn state(told: &[String]) -> std::collections::BTreeMap<String, String> {
    let mut rows = std::collections::BTreeMap::new();
    for line in told.iter().filter(|line| !line.starts_with("snapshot end")) {
        let line = line.strip_prefix("snapshot ").unwrap_or(line);
        let line = line.split_once("] ").map_or(line, |(_, events)| events);
        for event in line.split(", ") {
            let row = event.split(" -> ").last().unwrap().trim_start_matches("added ");
            match row.strip_prefix("removed ") {
                Some(row) => rows.remove(&row[..2]),
                None => rows.insert(row[..2].to_owned(), row.split(' ').next().unwrap().to_owned()),
            };
        }
    }
    rows
}

#[test]
fn a_snapshot_is_sent_as_credit_allows() {
    let (mut stream, mut told) = slow_snapshot();
    assert_eq!(state(&told).len(), 7);
    for _ in 0..6 {
        told.extend(stream.credit(10));
    }
    assert_eq!(told.last().unwrap(), "snapshot end 101");
    assert_eq!(state(&told).len(), 60);
    assert_eq!(state(&told)["99"], "99=99/-/-@101");
}

#[test]
fn changes_during_a_snapshot_are_neither_lost_nor_told_twice() {
    let (mut stream, mut told) = slow_snapshot();
    for round in 0..10 {
        for key in [41, 73, 98, 12, 99] {
            told.extend(stream.card(&format!("{key:02}"), f64::from(key + round)));
        }
        let remove = Op::Remove { expected: None, want_old: false };
        stream.bench.request(op(0, SCORED, &format!("{}", 50 + round), remove));
        told.extend(stream.advance());
        told.extend(stream.credit(9));
    }
    told.extend(stream.credit(1_000));
    assert_eq!(told.iter().filter(|line| line.starts_with("snapshot end ")).count(), 1);
    let rows = state(&told);
    for key in 40..100 {
        let row = stream.bench.row(SCORED, &key.to_string());
        assert_eq!(rows.get(&key.to_string()).map_or("none", |row| row), row, "{key}");
    }
    assert_eq!(rows.len(), 50);
    let told: Vec<&str> = told.iter().flat_map(|line| line.split(", ")).collect();
    let changes: Vec<_> = told.iter().filter(|event| event.contains(" at ")).collect();
    let distinct: std::collections::BTreeSet<_> = changes.iter().collect();
    assert_eq!(changes.len(), distinct.len(), "told twice");
}

#[test]
fn a_snapshot_that_the_log_outruns_is_begun_anew() {
    let mut stream = Stream::of(Limits { log_entries: 3, ..Limits::default() });
    for number in 0..50 {
        stream.put(&format!("{number:02}"), "x");
    }
    stream.subscribe("plain", None, Start::Snapshot, 1);
    for number in 0..9 {
        assert_eq!(stream.put(&format!("{number:02}"), "y"), NOTHING);
    }
    let told = stream.credit(1_000);
    let anew = told.iter().position(|line| line == "overrun").unwrap();
    assert_eq!(state(&told[anew + 1..]).len(), 50);
    assert_eq!(told.last().unwrap(), "snapshot end 60");
}

#[test]
fn a_dropped_map_ends_its_streams() {
    let mut stream = Stream::new();
    stream.subscribe("plain", None, Start::Now, 100);
    stream.bench.request(put(0, "a", "x"));
    let filter = Filter::compile(stream.bench.catalogue.map("plain").unwrap(), None).unwrap();
    stream.bench.apply(Command::DropMap { name: "plain".into() });
    stream.bench.cut_over();
    assert_eq!(stream.advance(), ["(1, 2] added a=x@2 at 2", "end: the map was dropped"]);
    assert!(stream.feed.is_idle());
    let again = Input::Subscribe { id: ME, filter, start: Start::Now, credits: 1 };
    assert_eq!(stream.input(again), ["end: the partition does not have this map at its catalogue version"]);
}

#[test]
fn a_stream_follows_its_maps_schema() {
    let mut stream = Stream::new();
    stream.subscribe("cards", Some("amount > 10"), Start::Now, 100);
    let columns = vec![
        Column::new("amount", Kind::F64),
        Column::new("country", Kind::Str).nullable(),
        Column::score("risk", Kind::F32),
        Column::score("other", Kind::F32),
    ];
    let schema = Schema::new(SchemaId(0), columns).unwrap();
    stream.bench.apply(Command::CreateMap(MapFile { schema: Some(schema), ..MapFile::plain("cards") }));
    stream.bench.cut_over();
    let map = stream.bench.catalogue.map("cards").unwrap().clone();
    let mut row = Builder::new(map.schema().unwrap());
    row.set(0, Scalar::F64(99.0)).unwrap();
    let value = row.finish().unwrap().into();
    let put = Op::Put { value, mode: PutMode::Always, want_old: false, ttl: None };
    stream.bench.request(op(0, SCORED, "a", put));
    assert_eq!(stream.advance(), ["(1, 3] added a=a later schema@3 at 3"]);
}

#[test]
fn below_the_catalogue_of_its_log_nothing_is_read() {
    let mut stream = Stream::new();
    stream.subscribe("plain", None, Start::Now, 100);
    let early = stream.bench.core.view().clone();
    stream.bench.apply(Command::CreateMap(MapFile::plain("third")));
    stream.bench.cut_over();
    stream.bench.request(put(0, "a", "x"));
    let reader = stream.bench.core.reader();
    let source = Source { log: stream.bench.core.log(), reader: &reader, view: &early };
    let mut effects = Vec::new();
    stream.feed.advance(&source, &mut effects);
    let filter = Filter::compile(stream.bench.catalogue.map("plain").unwrap(), None).unwrap();
    let subscribe = Input::Subscribe { id: SubscriberId(2), filter, start: Start::Now, credits: 1 };
    stream.feed.handle(subscribe, &source, &mut effects);
    let lines: Vec<_> = effects.iter().map(line).collect();
    assert_eq!(
        lines,
        ["end: this node has yet to hear of the partition's catalogue"],
        "nobody is told, and nobody begins"
    );
    assert_eq!(stream.advance(), ["(1, 3] added a=x@3 at 3"]);
}

#[test]
fn long_streams_come_in_messages_of_bounded_size() {
    let mut stream = Stream::new();
    stream.subscribe("plain", None, Start::Now, 10_000);
    for number in 0..600 {
        stream.bench.request(put(0, &number.to_string(), "x"));
    }
    let lines = stream.advance();
    let ranges: Vec<_> = lines.iter().map(|line| line.split(" added").next().unwrap()).collect();
    assert_eq!(ranges, ["(1, 257]", "(257, 513]", "(513, 601]"]);
    let value = "v".repeat(100 << 10);
    for _ in 0..4 {
        stream.bench.request(put(0, "a", &value));
    }
    assert_eq!(stream.advance().len(), 2);
}

#[test]
fn what_was_committed_while_the_view_was_behind_is_told_with_the_next_bookmark() {
    let mut stream = Stream::new();
    stream.put("z", "before");
    stream.subscribe("plain", None, Start::Now, 100);
    stream.bench.request(put(0, "a", "one"));
    let behind = Arc::new(View::default());
    let told = stream.feed_does(|feed, source, effects| {
        feed.advance(&Source { log: source.log, reader: source.reader, view: &behind }, effects);
    });
    assert_eq!(told, NOTHING);
    // Nothing more is committed, so that nothing else would tell.
    assert_eq!(stream.bookmark(), ["(2, 3] added a=one@3 at 3"]);
    assert_eq!(stream.bookmark(), NOTHING);
}
