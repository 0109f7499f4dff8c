//! Rules 7, 10 and 23 with scores: slots, deadlines, marks.

use super::bench::*;
use crate::{
    expr::Update,
    partition::{Op, Request, Ticket},
    types::{Epoch, Error, SchemaId},
};

const NOTHING: [&str; 0] = [];

#[test]
fn row_and_score_commit_together() {
    let mut bench = Bench::bound("");
    assert_eq!(bench.request(card(1, "a", 2.0)), ["score 1 risk@1 a"]);
    assert_eq!(bench.row(SCORED, "a"), "none");
    assert_eq!(
        bench.scored(1, 0.5),
        ["reply 1 applied v3 record a=2/0.5/-@3 by 1:1", "publish 3 [put none -> a=2/0.5/-@3 by 1:1]"]
    );
    assert_eq!(bench.row(SCORED, "a"), "a=2/0.5/-@3 by 1:1");
}

#[test]
fn one_key_is_first_come_first_served_and_others_pass() {
    let mut bench = Bench::bound("");
    assert_eq!(bench.request(card(1, "a", 1.0)), ["score 1 risk@1 a"]);
    assert_eq!(bench.request(card(2, "a", 2.0)), NOTHING);
    assert_eq!(bench.request(card(3, "a", 3.0)), NOTHING);
    assert_eq!(bench.request(card(4, "b", 4.0)), ["score 2 risk@1 b"]);
    assert_eq!(
        bench.scored(2, 0.4),
        ["reply 4 applied v3 record b=4/0.4/-@3 by 1:1", "publish 3 [put none -> b=4/0.4/-@3 by 1:1]"]
    );
    assert_eq!(
        bench.scored(1, 0.1),
        [
            "reply 1 applied v4 record a=1/0.1/-@4 by 1:1",
            "publish 4 [put none -> a=1/0.1/-@4 by 1:1]",
            "score 3 risk@1 a"
        ]
    );
    assert_eq!(
        bench.scored(3, 0.2),
        [
            "reply 2 applied v5 record a=2/0.2/-@5 by 1:1",
            "publish 5 [put a=1/0.1/-@4 by 1:1 -> a=2/0.2/-@5 by 1:1]",
            "score 4 risk@1 a"
        ]
    );
}

#[test]
fn a_ticket_is_good_for_one_answer_of_its_epoch() {
    let mut bench = Bench::bound("");
    bench.request(card(1, "a", 1.0));
    let ticket = Ticket { epoch: Epoch(0), nonce: 1 };
    let stale = crate::partition::Input::Scored { ticket, result: Ok(Default::default()) };
    assert_eq!(bench.input(stale), NOTHING);
    assert_eq!(bench.scored(1, 0.5).len(), 2);
    assert_eq!(bench.scored(1, 0.6), NOTHING);
    assert_eq!(bench.row(SCORED, "a"), "a=1/0.5/-@3 by 1:1");
}

#[test]
fn a_row_that_cannot_be_scored_is_refused_whatever_the_deadline_policy() {
    let mut bench = Bench::bound("on_deadline = \"store_unscored\"");
    bench.request(card(1, "a", 1.0));
    assert_eq!(
        bench.failed(1, Error::invalid("the feature `amount` is NaN")),
        ["reply 1 invalid: the feature `amount` is NaN"]
    );
    assert_eq!(bench.row(SCORED, "a"), "none");
    assert_eq!(bench.request(card(2, "a", 1.0)), ["score 2 risk@1 a"], "the slot is free again");
}

#[test]
fn a_late_score_rejects_the_write() {
    let mut bench = Bench::bound("deadline_ms = 50");
    bench.request(numbered(1, card(1, "a", 1.0)));
    assert_eq!(bench.core.next_deadline(), Some(50_000));
    assert_eq!(bench.tick(49_999), NOTHING);
    assert_eq!(
        bench.tick(50_000),
        ["reply 1 deadline: the score of the binding `risk` did not come in time", "publish 3 []"]
    );
    assert_eq!(bench.scored(1, 0.5), NOTHING, "it comes too late");
    assert_eq!(bench.row(SCORED, "a"), "none");
    assert_eq!(bench.core.next_deadline(), None);
    assert_eq!(
        bench.request(numbered(1, card(2, "a", 1.0))),
        ["reply 2 deadline: the score of the binding `risk` did not come in time"]
    );
}

#[test]
fn a_late_score_leaves_a_mark_and_follows_as_a_score_only_entry() {
    let mut bench = Bench::bound("deadline_ms = 50\non_deadline = \"store_unscored\"");
    bench.request(card(1, "a", 1.0));
    assert_eq!(
        bench.tick(50_000),
        [
            "reply 1 applied v3 record a=1/-/-@3 unscored",
            "publish 3 [put none -> a=1/-/-@3 unscored]",
            "score 2 risk@1 a"
        ]
    );
    assert_eq!(bench.core.unscored(), 1);
    assert_eq!(bench.scored(1, 0.5), NOTHING, "that question no longer stands");
    assert_eq!(
        bench.scored(2, 0.5),
        ["publish 4 [scored a=1/-/-@3 unscored -> a=1/0.5/-@3 by 1:1]"],
        "the row's version stays, and nothing is scored again"
    );
    assert_eq!(bench.core.unscored(), 0);
    assert_eq!(bench.core.next_deadline(), None);
}

#[test]
fn a_score_for_an_earlier_version_is_dropped() {
    let mut bench = Bench::bound("deadline_ms = 50\non_deadline = \"store_unscored\"");
    bench.request(card(1, "a", 1.0));
    bench.tick(50_000);
    bench.request(card(2, "a", 7.0));
    // 3 is the new write's; 2 is asked about the row it replaces, and still in time.
    assert_eq!(
        bench.scored(3, 0.7),
        [
            "reply 2 applied v4 record a=7/0.7/-@4 by 1:1",
            "publish 4 [put a=1/-/-@3 unscored -> a=7/0.7/-@4 by 1:1]"
        ]
    );
    assert_eq!(bench.scored(2, 0.1), NOTHING);
    assert_eq!(bench.row(SCORED, "a"), "a=7/0.7/-@4 by 1:1");
    assert_eq!(bench.core.unscored(), 0);
}

#[test]
fn a_score_may_land_while_a_write_of_the_row_is_being_scored() {
    let mut bench = Bench::bound("deadline_ms = 50\non_deadline = \"store_unscored\"");
    bench.request(card(1, "a", 1.0));
    bench.tick(50_000);
    bench.request(card(2, "a", 7.0));
    assert_eq!(bench.scored(2, 0.1), ["publish 4 [scored a=1/-/-@3 unscored -> a=1/0.1/-@3 by 1:1]"]);
    assert_eq!(
        bench.scored(3, 0.7),
        [
            "reply 2 applied v5 record a=7/0.7/-@5 by 1:1",
            "publish 5 [put a=1/0.1/-@3 by 1:1 -> a=7/0.7/-@5 by 1:1]"
        ]
    );
}

#[test]
fn an_overloaded_pool_is_like_a_deadline() {
    let mut bench = Bench::bound("on_deadline = \"store_unscored\"");
    bench.request(card(1, "a", 1.0));
    assert_eq!(
        bench.failed(1, Error::overloaded("the pool is full")),
        [
            "reply 1 applied v3 record a=1/-/-@3 unscored",
            "publish 3 [put none -> a=1/-/-@3 unscored]",
            "score 2 risk@1 a"
        ]
    );
    assert_eq!(bench.failed(2, Error::overloaded("the pool is full")), NOTHING);
    assert_eq!(bench.core.next_deadline(), Some(1_000_000), "it is asked again after a pause");
    assert_eq!(bench.tick(1_000_000), ["score 3 risk@1 a"]);
    assert_eq!(bench.scored(3, 0.5), ["publish 4 [scored a=1/-/-@3 unscored -> a=1/0.5/-@3 by 1:1]"]);
}

#[test]
fn an_asynchronous_binding_scores_after_the_write() {
    let mut bench = Bench::bound("mode = \"async\"");
    assert_eq!(
        bench.request(card(1, "a", 1.0)),
        [
            "reply 1 applied v3 record a=1/-/-@3 unscored",
            "publish 3 [put none -> a=1/-/-@3 unscored]",
            "score 1 risk@1 a"
        ]
    );
    assert_eq!(bench.scored(1, 0.5), ["publish 4 [scored a=1/-/-@3 unscored -> a=1/0.5/-@3 by 1:1]"]);
}

#[test]
fn a_write_waits_for_all_of_its_bindings() {
    let mut bench = Bench::new();
    bench.bind("risk", "");
    bench.bind("other", "");
    bench.cut_over();
    assert_eq!(bench.request(card(1, "a", 1.0)), ["score 1 risk@1 a", "score 2 other@1 a"]);
    assert_eq!(bench.scored(2, 0.2), NOTHING);
    assert_eq!(
        bench.scored(1, 0.1),
        [
            "reply 1 applied v3 record a=1/0.1/0.2@3 by 1:1 by 2:1",
            "publish 3 [put none -> a=1/0.1/0.2@3 by 1:1 by 2:1]"
        ]
    );
}

#[test]
fn of_two_bindings_one_may_be_late() {
    let mut bench = Bench::new();
    bench.bind("risk", "");
    bench.bind("other", "deadline_ms = 10\non_deadline = \"store_unscored\"");
    bench.cut_over();
    bench.request(card(1, "a", 1.0));
    bench.scored(1, 0.1);
    assert_eq!(
        bench.tick(10_000),
        [
            "reply 1 applied v3 record a=1/0.1/-@3 by 1:1 unscored",
            "publish 3 [put none -> a=1/0.1/-@3 by 1:1 unscored]",
            "score 3 other@1 a"
        ]
    );
    // Both must be in time if one that is late rejects.
    bench.request(card(2, "b", 1.0));
    assert_eq!(
        bench.tick(20_000),
        ["reply 2 deadline: the score of the binding `risk` did not come in time"]
    );
}

#[test]
fn a_request_may_be_more_impatient_than_its_binding() {
    let mut bench = Bench::bound("deadline_ms = 50");
    bench.request(card(1, "a", 1.0));
    bench.request(Request { deadline_us: Some(7_000), ..card(2, "a", 1.0) });
    assert_eq!(bench.core.next_deadline(), Some(7_000));
    assert_eq!(bench.tick(7_000), ["reply 2 deadline: the request's deadline passed while its key was busy"]);
    assert_eq!(bench.scored(1, 0.5).len(), 2);
    assert_eq!(
        bench.request(Request { deadline_us: Some(7_000), ..card(3, "a", 1.0) }),
        ["reply 3 deadline: the request's deadline had passed when it arrived"]
    );
}

#[test]
fn an_update_computes_the_row_from_what_it_is_and_triggers_its_binding() {
    let mut bench = Bench::bound("");
    let update = |bench: &Bench, text: &str| {
        let map = bench.catalogue.map("cards").unwrap();
        Op::Update(Update::parse(text, map.schema().unwrap(), None).unwrap().into())
    };
    let more = update(&bench, "SET amount = amount + 1");
    assert_eq!(
        bench.request(op(1, SCORED, "a", more.clone())),
        ["reply 1 not_found: there is no row to update"]
    );
    bench.request(card(2, "a", 1.0));
    assert_eq!(bench.request(op(3, SCORED, "a", more.clone())), NOTHING, "it waits for the row");
    assert_eq!(bench.scored(1, 0.1)[2], "score 2 risk@1 a");
    assert_eq!(
        bench.scored(2, 0.2),
        [
            "reply 3 applied v4 record a=2/0.2/-@4 by 1:1",
            "publish 4 [put a=1/0.1/-@3 by 1:1 -> a=2/0.2/-@4 by 1:1]"
        ]
    );
    let foreign = Op::Update(Update::parse("SET amount = 1.0", &cards(SchemaId(9)), None).unwrap().into());
    assert_eq!(
        bench.request(op(4, SCORED, "a", foreign)),
        ["reply 4 unavailable: the map `cards` has got another schema meanwhile"]
    );
}
