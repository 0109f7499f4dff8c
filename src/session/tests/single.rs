//! One node.

use super::*;

fn opened() -> (Rig, LinkId) {
    let mut rig = Rig::new();
    let link = rig.open(A);
    (rig, link)
}

#[test]
fn nothing_leaves_before_the_welcome() {
    let mut rig = Rig::new();
    rig.put(0);
    assert_eq!(rig.session.hello(), Hello { identity: None, acknowledged_below: 1 });
    let link = rig.open(A);
    assert_eq!(rig.frame(link), (vec![(0, 1)], 1));
    assert_eq!(rig.session.hello().identity, Some(identity(7, CLUSTER)));
}

#[test]
fn a_frame_holds_what_gathered_and_only_writes_are_numbered() {
    let (mut rig, link) = opened();
    rig.put(0);
    rig.get(1);
    rig.put(2);
    assert_eq!(rig.frame(link), (vec![(0, 1), (1, 0), (2, 2)], 1));
    assert_eq!(rig.sent(link), []);
    assert_eq!(rig.reply(link, 0, Ok("done")), [(caller(0), Ok("done"))]);
    rig.put(3);
    assert_eq!(rig.frame(link), (vec![(0, 3)], 2));
}

#[test]
fn a_frame_ends_at_its_limit() {
    let (mut rig, link) = opened();
    (0..3).for_each(|call| rig.put_bytes(call, 190).unwrap());
    assert_eq!(rig.sent(link), [(0, 1), (1, 2)]);
    assert_eq!(rig.sent(link), [(2, 3)]);
}

#[test]
fn an_operation_that_no_frame_can_hold_is_refused() {
    let (mut rig, _) = opened();
    let error = rig.put_bytes(0, 1001).unwrap_err();
    assert_eq!(error, Error::invalid("the operation has 1001 bytes, more than the 1000 of a frame"));
    assert_eq!(rig.session.under_way(), 0);
}

#[test]
fn the_limits_of_a_node_count() {
    let mut rig = Rig::new();
    let welcome = Welcome {
        node: A,
        asked: None,
        identity: identity(7, CLUSTER),
        max_outstanding: 1,
        max_frame_bytes: 100,
    };
    let link = rig.session.handle_welcome(&welcome, 0, &mut Told::new()).unwrap();
    assert!(rig.put_bytes(0, 101).is_err());
    rig.put(0);
    rig.put(1);
    assert_eq!(rig.sent(link), [(0, 1)]);
}

#[test]
fn the_lowest_unanswered_write_bounds_how_many_follow() {
    let (mut rig, link) = opened();
    (0..6).for_each(|call| rig.put(call));
    assert_eq!(rig.sent(link), [(0, 1), (1, 2), (2, 3), (3, 4)]);
    rig.reply(link, 1, Ok("done"));
    assert_eq!(rig.sent(link), []);
    rig.reply(link, 0, Ok("done"));
    assert!(rig.session.wants_to_send(link));
    assert_eq!(rig.frame(link), (vec![(4, 5), (5, 6)], 3));
}

#[test]
fn what_is_refused_for_the_moment_is_retried_under_its_number() {
    let (mut rig, link) = opened();
    rig.put(0);
    rig.sent(link);
    for due_us in [1_000, 3_000, 7_000, 11_000] {
        assert_eq!(rig.refuse(link, 0, Class::Overloaded), []);
        assert_eq!(rig.tick(due_us - 1), []);
        assert_eq!(rig.sent(link), []);
        rig.tick(due_us);
        assert_eq!(rig.frame(link), (vec![(0, 1)], 1));
    }
    // No time for another pause.
    rig.now_us = DEADLINE_US - 4_000;
    assert_eq!(rig.refuse(link, 0, Class::Overloaded), [(caller(0), Err(refusal(Class::Overloaded)))]);
    assert_eq!(rig.session.under_way(), 0);
    rig.put(1);
    assert_eq!(rig.frame(link), (vec![(0, 2)], 2));
}

#[test]
fn what_cannot_succeed_is_answered_at_once() {
    let (mut rig, link) = opened();
    rig.put(0);
    rig.sent(link);
    assert_eq!(rig.refuse(link, 0, Class::Conflict), [(caller(0), Err(refusal(Class::Conflict)))]);
    assert_eq!(rig.refuse(link, 0, Class::Conflict), []);
}

#[test]
fn after_a_reconnect_the_unanswered_go_first_under_their_numbers() {
    let (mut rig, link) = opened();
    (0..3).for_each(|call| rig.put(call));
    rig.get(3);
    rig.sent(link);
    rig.put(4);
    rig.reply(link, 1, Ok("done"));
    rig.disconnect(link);
    assert_eq!(rig.sent(link), []);
    assert_eq!(rig.acknowledged_below(), 1);
    let link = rig.open(A);
    assert_eq!(rig.frame(link), (vec![(0, 1), (2, 3), (3, 0), (4, 4)], 1));
    assert_eq!(rig.reply(link, 2, Ok("first answer")), [(caller(2), Ok("first answer"))]);
}

#[test]
fn writes_of_a_lost_session_are_not_sent_again() {
    let (mut rig, link) = opened();
    rig.put(0);
    rig.get(1);
    rig.sent(link);
    rig.put(2);
    rig.disconnect(link);
    let (link, answers) = rig.welcome(A, identity(8, CLUSTER));
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].0, caller(0));
    let error = answers[0].1.as_ref().unwrap_err();
    assert_eq!(error.class, Class::Unavailable);
    assert_eq!(error.message, "the session was lost while the write was under way");
    assert_eq!(rig.frame(link.unwrap()), (vec![(1, 0), (2, 1)], 1));
}

#[test]
fn who_waited_too_long_is_told_and_the_answer_is_still_owed() {
    let (mut rig, link) = opened();
    rig.put(0);
    rig.sent(link);
    assert_eq!(rig.tick(DEADLINE_US - 1), []);
    let answers = rig.tick(DEADLINE_US);
    assert_eq!(answers[0].0, caller(0));
    assert_eq!(answers[0].1.as_ref().unwrap_err().class, Class::Deadline);
    assert_eq!(rig.session.under_way(), 1);
    assert_eq!(rig.tick(DEADLINE_US * 2), []);
    // The late answer settles the number; a refusal is not retried for nobody.
    assert_eq!(rig.refuse(link, 0, Class::Overloaded), []);
    assert_eq!((rig.session.under_way(), rig.acknowledged_below()), (0, 2));
}

#[test]
fn what_nobody_waits_for_is_not_sent_after_a_reconnect() {
    let (mut rig, link) = opened();
    rig.put(0);
    rig.sent(link);
    rig.tick(DEADLINE_US);
    rig.disconnect(link);
    assert_eq!((rig.session.under_way(), rig.acknowledged_below()), (0, 2));
}

#[test]
fn without_a_connection_the_outage_is_the_answer() {
    let (mut rig, link) = opened();
    rig.put(0);
    rig.sent(link);
    rig.disconnect(link);
    rig.put(1);
    rig.session.handle_outage(Error::unavailable("nobody listens"));
    let answers = rig.tick(DEADLINE_US);
    let nobody = || Err(Error::unavailable("nobody listens"));
    assert_eq!(answers, [(caller(0), nobody()), (caller(1), nobody())]);
    assert_eq!(rig.session.under_way(), 0);
    let link = rig.open(A);
    assert_eq!(rig.sent(link), []);
}

#[test]
fn a_parked_write_that_runs_out_of_time_gives_its_refusal() {
    let (mut rig, link) = opened();
    rig.session.limits.retry_us = 90_000;
    rig.session.limits.astray_most_us = 90_000;
    rig.put(0);
    rig.sent(link);
    rig.now_us = 1;
    assert_eq!(rig.refuse(link, 0, Class::NotPrimary), []);
    assert_eq!(rig.tick(DEADLINE_US), [(caller(0), Err(refusal(Class::NotPrimary)))]);
    assert_eq!(rig.acknowledged_below(), 2);
}

#[test]
fn a_second_stream_to_the_same_node_is_of_no_use() {
    let (mut rig, link) = opened();
    assert_eq!(rig.welcome(A, identity(7, CLUSTER)), (None, vec![]));
    rig.put(0);
    assert_eq!(rig.sent(link), [(0, 1)]);
}
