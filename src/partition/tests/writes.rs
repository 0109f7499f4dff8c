//! Rule 7 without scores: conditions, versions, order.

use super::bench::*;
use crate::{
    partition::{Input, Limits, Op, PutMode, Request},
    types::{Key, KeyRef, RowVersion},
};

#[test]
fn a_put_commits_applies_replies_and_publishes_in_one_call() {
    let mut bench = Bench::new();
    assert_eq!(bench.request(put(1, "a", "x")), ["reply 1 applied v2", "publish 2 [put none -> a=x@2]"]);
    assert_eq!(bench.row(PLAIN, "a"), "a=x@2");
    assert_eq!(
        bench.request(put(2, "a", "y")),
        ["reply 2 applied v3 old a=x@2", "publish 3 [put a=x@2 -> a=y@3]"]
    );
    assert_eq!(bench.core.position().seq.0, 3);
    assert_eq!(bench.core.under_way(), 0);
}

#[test]
fn conditions_decide_over_the_row_as_it_is() {
    let mut bench = Bench::new();
    assert_eq!(bench.request(put_if(1, "a", "x", PutMode::IfPresent)), ["reply 1 not applied"]);
    assert_eq!(
        bench.request(put_if(2, "a", "x", PutMode::IfAbsent)),
        ["reply 2 applied v2", "publish 2 [put none -> a=x@2]"]
    );
    assert_eq!(bench.request(put_if(3, "a", "y", PutMode::IfAbsent)), ["reply 3 not applied v2 old a=x@2"]);
    assert_eq!(
        bench.request(put_if(4, "a", "y", PutMode::IfPresent)),
        ["reply 4 applied v3 old a=x@2", "publish 3 [put a=x@2 -> a=y@3]"]
    );
    assert_eq!(
        bench.request(put_if(5, "a", "z", PutMode::IfVersion(RowVersion(2)))),
        ["reply 5 conflict: the row has version 3, not 2"]
    );
    assert_eq!(
        bench.request(put_if(6, "a", "z", PutMode::IfVersion(RowVersion(3)))),
        ["reply 6 applied v4 old a=y@3", "publish 4 [put a=y@3 -> a=z@4]"]
    );
    assert_eq!(
        bench.request(put_if(7, "b", "z", PutMode::IfVersion(RowVersion(3)))),
        ["reply 7 conflict: there is no row, so none of version 3"]
    );
}

#[test]
fn removes_are_conditional_too() {
    let mut bench = Bench::new();
    bench.request(put(1, "a", "x"));
    assert_eq!(bench.request(remove(2, "a", Some(1))), ["reply 2 conflict: the row has version 2, not 1"]);
    assert_eq!(
        bench.request(remove(3, "a", Some(2))),
        ["reply 3 applied old a=x@2", "publish 3 [remove a=x@2 -> none]"]
    );
    assert_eq!(bench.row(PLAIN, "a"), "none");
    assert_eq!(bench.request(remove(4, "a", None)), ["reply 4 not applied"]);
    assert_eq!(
        bench.request(remove(5, "a", Some(2))),
        ["reply 5 conflict: there is no row, so none of version 2"]
    );
}

#[test]
fn without_a_lease_or_a_map_nothing_is_served() {
    let mut bench = Bench::new();
    let unknown = Request { map: crate::types::MapId(9), ..put(1, "a", "x") };
    assert_eq!(
        bench.request(unknown),
        ["reply 1 not_found: partition 0 has no map 9 at catalogue version 4"]
    );
    bench.input(Input::Lease { until_us: 0 });
    assert_eq!(bench.request(put(2, "a", "x")), ["reply 2 unavailable: partition 0 has no lease"]);
    assert!(bench.core.reader().read(PLAIN, key("a").packed(), || 0).is_err());
}

#[test]
fn a_row_of_an_unknown_schema_waits_for_its_partition() {
    let mut bench = Bench::new();
    let op = Op::Put {
        value: card_row(crate::types::SchemaId(77), 1.0),
        mode: PutMode::Always,
        want_old: false,
        ttl: None,
    };
    let lines = bench.request(self::op(1, SCORED, "a", op));
    assert!(lines[0].starts_with("reply 1 unavailable: "), "{lines:?}");
    assert_eq!(lines.len(), 1);
}

#[test]
fn a_long_key_is_a_key() {
    let mut bench = Bench::new();
    let text = "k".repeat(1_000);
    bench.request(Request { key: Key::new(KeyRef::Str(&text), None).unwrap(), ..put(1, "a", "x") });
    assert_eq!(bench.row(PLAIN, &text), format!("{text}=x@2"));
}

#[test]
fn a_full_partition_is_overloaded_and_the_operation_untouched() {
    let mut bench = Bench::of(1, Limits { ops: 2, ..Limits::default() });
    bench.bind("risk", "");
    bench.cut_over();
    bench.request(card(1, "a", 1.0));
    bench.request(card(2, "a", 2.0));
    let refused = bench.request(card(3, "b", 3.0));
    assert_eq!(refused.len(), 1);
    assert!(refused[0].starts_with("reply 3 overloaded: "), "{refused:?}");
    bench.scored(1, 0.5);
    assert_eq!(bench.request(card(3, "b", 3.0)), ["score 3 risk@1 b"]);
    assert_eq!(bench.core.under_way(), 2);
}

#[test]
fn bytes_are_counted_as_well_but_one_operation_always_fits() {
    let mut bench = Bench::of(1, Limits { op_bytes: 100, ..Limits::default() });
    bench.bind("risk", "");
    bench.cut_over();
    assert_eq!(bench.request(card(1, "a", 1.0)), ["score 1 risk@1 a"]);
    assert!(bench.request(card(2, "b", 1.0))[0].starts_with("reply 2 overloaded: "));
    bench.scored(1, 0.5);
    assert_eq!(bench.request(card(2, "b", 1.0)), ["score 2 risk@1 b"]);
}
