//! Rules 7 and 8 with more than one replica in sync: what is prepared is seen by decisions and by nobody else.

use super::bench::*;
use crate::{
    partition::{Body, Frame, Limits, PutMode},
    types::{Epoch, Generation, JoinId, PartitionId, Seq},
};

const NOTHING: [&str; 0] = [];

fn acknowledge(bench: &mut Bench, join: u64, seq: u64) -> Vec<String> {
    bench.hear(join, Body::Prepared { upto: Seq(seq) })
}

/// Two replicas, the catalogue's entry acknowledged.
fn pair() -> Bench {
    let mut bench = Bench::of(2, Limits { min_in_sync: 2, ..Limits::default() });
    assert_eq!(acknowledge(&mut bench, 2, 1), ["publish 1 [catalogue 4]"]);
    bench
}

#[test]
fn an_entry_commits_when_all_have_it() {
    let mut bench = pair();
    assert_eq!(bench.request(put(1, "a", "x")), NOTHING);
    assert_eq!(bench.request(put(2, "b", "y")), NOTHING);
    assert_eq!(bench.row(PLAIN, "a"), "none");
    assert_eq!(bench.core.under_way(), 2);
    assert_eq!(acknowledge(&mut bench, 2, 2), ["reply 1 applied v2", "publish 2 [put none -> a=x@2]"]);
    assert_eq!(bench.row(PLAIN, "a"), "a=x@2");
    assert_eq!(bench.row(PLAIN, "b"), "none");
    assert_eq!(acknowledge(&mut bench, 2, 3), ["reply 2 applied v3", "publish 3 [put none -> b=y@3]"]);
    assert_eq!(bench.core.under_way(), 0);
}

#[test]
fn an_acknowledgement_of_another_epoch_counts_for_nothing() {
    let mut bench = pair();
    bench.request(put(1, "a", "x"));
    let stale = Frame {
        partition: PartitionId(0),
        generation: Generation(1),
        epoch: Epoch(0),
        from: JoinId(2),
        to: JoinId(1),
        body: Body::Prepared { upto: Seq(2) },
    };
    assert_eq!(bench.frame(stale), NOTHING);
    assert_eq!(bench.core.fenced(), 1);
    assert_eq!(acknowledge(&mut bench, 9, 2), NOTHING);
}

#[test]
fn too_small_a_set_commits_nothing() {
    let mut bench = Bench::of(1, Limits { min_in_sync: 2, ..Limits::default() });
    assert_eq!(bench.request(put(1, "a", "x")), NOTHING);
    assert_eq!(bench.core.position().seq, Seq(0));
}

#[test]
fn decisions_see_what_is_prepared_and_refusals_wait_for_it() {
    let mut bench = pair();
    bench.request(put(1, "a", "x"));
    assert_eq!(bench.request(put_if(2, "a", "y", PutMode::IfAbsent)), NOTHING, "it reveals a prepared row");
    bench.request(remove(3, "a", None));
    assert_eq!(bench.request(remove(4, "a", None)), NOTHING);
    bench.request(put_if(5, "a", "z", PutMode::IfAbsent));
    assert_eq!(
        acknowledge(&mut bench, 2, 2),
        ["reply 1 applied v2", "reply 2 not applied v2 old a=x@2", "publish 2 [put none -> a=x@2]"]
    );
    assert_eq!(
        acknowledge(&mut bench, 2, 4),
        [
            "reply 3 applied old a=x@2",
            "reply 4 not applied",
            "publish 3 [remove a=x@2 -> none]",
            "reply 5 applied v4",
            "publish 4 [put none -> a=z@4]"
        ]
    );
}

#[test]
fn a_retry_of_what_is_prepared_waits_for_its_commit() {
    let mut bench = pair();
    bench.request(numbered(1, put(1, "a", "x")));
    assert_eq!(bench.request(numbered(1, put(2, "a", "x"))), NOTHING);
    assert_eq!(
        acknowledge(&mut bench, 2, 2),
        ["reply 1 applied v2", "reply 2 applied v2", "publish 2 [put none -> a=x@2]"]
    );
    assert_eq!(bench.request(numbered(1, put(3, "a", "x"))), ["reply 3 applied v2"]);
}
