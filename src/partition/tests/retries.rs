//! Rule 11: an effect at most once.

use super::bench::*;
use crate::{
    partition::{Input, Limits, PutMode, Request},
    types::{Error, SessionId},
};

#[test]
fn a_retry_gets_the_first_answer_and_has_no_effect() {
    let mut bench = Bench::new();
    bench.request(put(1, "a", "x"));
    let first = bench.request(numbered(1, put(2, "a", "y")));
    assert_eq!(first, ["reply 2 applied v3 old a=x@2", "publish 3 [put a=x@2 -> a=y@3]"]);
    bench.request(put(3, "a", "z"));
    assert_eq!(bench.request(numbered(1, put(4, "a", "y"))), ["reply 4 applied v3 old a=x@2"]);
    assert_eq!(bench.row(PLAIN, "a"), "a=z@4");
}

#[test]
fn a_refusal_is_an_answer_too() {
    let mut bench = Bench::new();
    let conflict = numbered(1, put_if(1, "a", "x", PutMode::IfPresent));
    assert_eq!(bench.request(conflict.clone()), ["reply 1 not applied", "publish 2 []"]);
    bench.request(put(2, "a", "y"));
    // Executed now it would succeed, after the client was told that it had not.
    assert_eq!(bench.request(conflict), ["reply 1 not applied"]);
    assert_eq!(bench.row(PLAIN, "a"), "a=y@3");
}

#[test]
fn a_retry_of_what_is_under_way_waits_with_it() {
    let mut bench = Bench::bound("");
    assert_eq!(bench.request(numbered(1, card(1, "a", 2.0))), ["score 1 risk@1 a"]);
    assert_eq!(bench.request(numbered(1, card(2, "a", 2.0))), Vec::<String>::new());
    assert_eq!(
        bench.scored(1, 0.5),
        [
            "reply 2 applied v3 record a=2/0.5/-@3 by 1:1",
            "reply 1 applied v3 record a=2/0.5/-@3 by 1:1",
            "publish 3 [put none -> a=2/0.5/-@3 by 1:1]"
        ]
    );
    assert_eq!(
        bench.request(numbered(1, card(3, "a", 2.0))),
        ["reply 3 applied v3 record a=2/0.5/-@3 by 1:1"]
    );
}

#[test]
fn what_is_refused_for_the_moment_may_be_tried_again() {
    let mut bench = Bench::bound("");
    bench.request(numbered(1, card(1, "a", 2.0)));
    bench.request(numbered(1, card(2, "a", 2.0)));
    let refused = bench.failed(1, Error::overloaded("the pool is full"));
    assert_eq!(refused, ["reply 2 overloaded: the pool is full", "reply 1 overloaded: the pool is full"]);
    assert_eq!(bench.request(numbered(1, card(3, "a", 2.0))), ["score 2 risk@1 a"]);
    assert_eq!(
        bench.scored(2, 0.5),
        ["reply 3 applied v3 record a=2/0.5/-@3 by 1:1", "publish 3 [put none -> a=2/0.5/-@3 by 1:1]"]
    );
}

#[test]
fn retries_of_what_is_under_way_are_bounded() {
    let mut bench = Bench::bound("");
    for tag in 1..=20 {
        bench.request(numbered(1, card(tag, "a", 2.0)));
    }
    let replies = bench.scored(1, 0.5).into_iter().filter(|line| line.starts_with("reply")).count();
    assert_eq!(replies, 9);
}

#[test]
fn below_the_watermark_a_request_is_refused() {
    let mut bench = Bench::new();
    bench.request(numbered(1, put(1, "a", "x")));
    bench.request(Request { acknowledged_below: 2, ..numbered(2, put(2, "b", "x")) });
    assert_eq!(
        bench.request(numbered(1, put(3, "a", "x"))),
        ["reply 3 conflict: request 1 was answered before, and its answer acknowledged"]
    );
    assert_eq!(
        bench.request(Request { acknowledged_below: 9, ..numbered(5, put(4, "b", "x")) }),
        ["reply 4 conflict: request 5 was answered before, and its answer acknowledged"]
    );
    assert_eq!(bench.row(PLAIN, "a"), "a=x@2");
}

#[test]
fn a_session_that_acknowledges_nothing_is_overloaded() {
    let mut bench = Bench::of(1, Limits { session_answers: 2, ..Limits::default() });
    bench.request(numbered(1, put(1, "a", "x")));
    bench.request(numbered(2, put(2, "a", "x")));
    let refused = bench.request(numbered(3, put(3, "a", "y")));
    assert_eq!(refused, ["reply 3 overloaded: session 1 has 2 requests without acknowledged answers"]);
    let accepted = bench.request(Request { acknowledged_below: 3, ..numbered(3, put(3, "a", "y")) });
    assert_eq!(accepted, ["reply 3 applied v4 old a=x@3", "publish 4 [put a=x@3 -> a=y@4]"]);
}

#[test]
fn an_ended_session_is_ended_by_an_entry() {
    let mut bench = Bench::new();
    bench.request(numbered(1, put(1, "a", "x")));
    assert_eq!(bench.input(Input::EndSession(SessionId(1))), ["publish 3 [end session 1]"]);
    assert_eq!(
        bench.request(numbered(1, put(2, "a", "x"))),
        ["reply 2 conflict: request 1 was answered before, and its answer acknowledged"]
    );
}
