use prost::Message;

use super::*;
use crate::{client::draft::Packer, wire::v1::op::Verb};

const LIMITS: Limits = Limits {
    outstanding: 4,
    frame_bytes: 400,
    frame_most_bytes: 1000,
    retry_us: 1_000,
    retry_most_us: 4_000,
};
const DEADLINE_US: u64 = 100_000;

fn opened() -> Session {
    let mut session = Session::new(LIMITS);
    welcome(&mut session, 7, 1);
    session
}

fn welcome(session: &mut Session, id: u64, cluster: u64) -> Vec<(Caller, Answer)> {
    let mut answers = Vec::new();
    let welcome = v1::Welcome { session: id, cluster, ..Default::default() };
    session.handle_welcome(&welcome, &mut answers);
    answers
}

fn caller(call: u32) -> Caller {
    Caller { call, index: 0 }
}

fn put(session: &mut Session, call: u32) {
    put_bytes(session, call, 1).unwrap();
}

fn put_bytes(session: &mut Session, call: u32, len: usize) -> Result<(), Error> {
    let put = v1::PutOp { value: vec![0; len].into(), ..Default::default() };
    session.submit(draft(Verb::Put(put)), caller(call), DEADLINE_US)
}

fn get(session: &mut Session, call: u32) {
    let draft = draft(Verb::Get(v1::GetOp { only_version: false }));
    session.submit(draft, caller(call), DEADLINE_US).unwrap();
}

fn draft(verb: Verb) -> Draft {
    Packer::new(1).pack(b"\x01k", &verb)
}

/// The (tag, number) of each operation in the next frame, and its `acknowledged_below`.
fn sent(session: &mut Session) -> (Vec<(u32, u64)>, u64) {
    let Some(frame) = session.frame() else { return (Vec::new(), 0) };
    let mut elements = frame.ops.elements();
    let mut ops = Vec::new();
    while let Some(element) = elements.read_next() {
        let op = v1::Op::decode(element.bytes()).unwrap();
        ops.push((op.tag, op.number));
    }
    (ops, frame.acknowledged_below)
}

fn written(version: u64) -> reply::Answer {
    reply::Answer::Written(v1::Written { version, ..Default::default() })
}

fn reply(session: &mut Session, tag: u32, answer: reply::Answer, now_us: u64) -> Vec<(Caller, Answer)> {
    let mut answers = Vec::new();
    session.handle_reply(v1::Reply { tag, answer: Some(answer) }, now_us, &mut answers);
    answers
}

fn refusal(class: Class) -> (Error, reply::Answer) {
    let error = Error::new(class, "not now");
    (error.clone(), reply::Answer::Error(error.into()))
}

fn tick(session: &mut Session, now_us: u64) -> Vec<(Caller, Answer)> {
    let mut answers = Vec::new();
    session.handle_tick(now_us, &mut answers);
    answers
}

fn outage() -> Error {
    Error::unavailable("the stream broke")
}

#[test]
fn nothing_leaves_before_the_welcome() {
    let mut session = Session::new(LIMITS);
    put(&mut session, 0);
    assert_eq!(session.frame(), None);
    assert_eq!(session.hello().hello, Some(v1::Hello { session: None, cluster: None }));
    welcome(&mut session, 7, 1);
    assert_eq!(sent(&mut session), (vec![(0, 1)], 1));
    assert_eq!(session.hello().hello, Some(v1::Hello { session: Some(7), cluster: Some(1) }));
}

#[test]
fn a_frame_holds_what_gathered_and_only_writes_are_numbered() {
    let mut session = opened();
    put(&mut session, 0);
    get(&mut session, 1);
    put(&mut session, 2);
    assert_eq!(sent(&mut session), (vec![(0, 1), (1, 0), (2, 2)], 1));
    assert_eq!(session.frame(), None);
    assert_eq!(reply(&mut session, 0, written(5), 0), [(caller(0), Ok(written(5)))]);
    put(&mut session, 3);
    assert_eq!(sent(&mut session), (vec![(0, 3)], 2));
}

#[test]
fn a_frame_ends_at_its_limit() {
    let mut session = opened();
    for call in 0..3 {
        put_bytes(&mut session, call, 150).unwrap();
    }
    assert_eq!(sent(&mut session).0, [(0, 1), (1, 2)].map(|pair| pair));
    assert_eq!(sent(&mut session).0, [(2, 3)]);
}

#[test]
fn an_operation_that_no_frame_can_hold_is_refused() {
    let mut session = opened();
    let error = put_bytes(&mut session, 0, 1000).unwrap_err();
    assert_eq!(error, Error::invalid("the operation has 1036 bytes, more than the 1000 of a frame"));
    assert_eq!(session.pending.len(), 0);
}

#[test]
fn the_lowest_unanswered_write_bounds_how_many_follow() {
    let mut session = opened();
    (0..6).for_each(|call| put(&mut session, call));
    assert_eq!(sent(&mut session).0, [(0, 1), (1, 2), (2, 3), (3, 4)]);
    reply(&mut session, 1, written(1), 0);
    assert_eq!(session.frame(), None);
    reply(&mut session, 0, written(1), 0);
    assert!(session.wants_to_send());
    assert_eq!(sent(&mut session), (vec![(4, 5), (5, 6)], 3));
}

#[test]
fn what_is_refused_for_the_moment_is_retried_under_its_number() {
    let mut session = opened();
    put(&mut session, 0);
    sent(&mut session);
    let (error, busy) = refusal(Class::Overloaded);
    for (now_us, due_us) in [(0, 1_000), (1_000, 3_000), (3_000, 7_000), (7_000, 11_000)] {
        assert_eq!(reply(&mut session, 0, busy.clone(), now_us), []);
        assert_eq!(tick(&mut session, due_us - 1), []);
        assert_eq!(session.frame(), None);
        tick(&mut session, due_us);
        assert_eq!(sent(&mut session), (vec![(0, 1)], 1));
    }
    // No time for another pause.
    assert_eq!(reply(&mut session, 0, busy, DEADLINE_US - 4_000), [(caller(0), Err(error))]);
    assert_eq!(session.pending.len(), 0);
    put(&mut session, 1);
    assert_eq!(sent(&mut session), (vec![(0, 2)], 2));
}

#[test]
fn what_cannot_succeed_is_answered_at_once() {
    let mut session = opened();
    put(&mut session, 0);
    sent(&mut session);
    let (error, refused) = refusal(Class::Conflict);
    assert_eq!(reply(&mut session, 0, refused.clone(), 0), [(caller(0), Err(error))]);
    assert_eq!(reply(&mut session, 0, refused, 0), []);
}

#[test]
fn after_a_reconnect_the_unanswered_go_first_under_their_numbers() {
    let mut session = opened();
    (0..3).for_each(|call| put(&mut session, call));
    get(&mut session, 3);
    sent(&mut session);
    put(&mut session, 4);
    reply(&mut session, 1, written(1), 0);
    session.handle_disconnect(outage());
    assert_eq!(session.frame(), None);
    assert_eq!(session.hello().acknowledged_below, 1);
    assert_eq!(welcome(&mut session, 7, 1), []);
    assert_eq!(sent(&mut session), (vec![(3, 0), (0, 1), (2, 3), (4, 4)], 1));
    assert_eq!(reply(&mut session, 2, written(9), 0), [(caller(2), Ok(written(9)))]);
}

#[test]
fn writes_of_a_lost_session_are_not_sent_again() {
    let mut session = opened();
    put(&mut session, 0);
    get(&mut session, 1);
    sent(&mut session);
    put(&mut session, 2);
    session.handle_disconnect(outage());
    let answers = welcome(&mut session, 8, 1);
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].0, caller(0));
    let error = answers[0].1.as_ref().unwrap_err();
    assert_eq!(error.class, Class::Unavailable);
    assert_eq!(error.message, "the session was lost while the write was under way");
    assert_eq!(sent(&mut session), (vec![(1, 0), (2, 1)], 1));
}

#[test]
fn who_waited_too_long_is_told_and_the_answer_is_still_owed() {
    let mut session = opened();
    put(&mut session, 0);
    sent(&mut session);
    assert_eq!(tick(&mut session, DEADLINE_US - 1), []);
    let answers = tick(&mut session, DEADLINE_US);
    assert_eq!(answers[0].0, caller(0));
    assert_eq!(answers[0].1.as_ref().unwrap_err().class, Class::Deadline);
    assert_eq!(session.pending.len(), 1);
    assert_eq!(tick(&mut session, DEADLINE_US * 2), []);
    // The late answer settles the number; a refusal is not retried for nobody.
    assert_eq!(reply(&mut session, 0, refusal(Class::Overloaded).1, DEADLINE_US * 2), []);
    assert_eq!((session.pending.len(), session.hello().acknowledged_below), (0, 2));
}

#[test]
fn what_nobody_waits_for_is_not_sent_after_a_reconnect() {
    let mut session = opened();
    put(&mut session, 0);
    sent(&mut session);
    tick(&mut session, DEADLINE_US);
    session.handle_disconnect(outage());
    assert_eq!((session.pending.len(), session.hello().acknowledged_below), (0, 2));
}

#[test]
fn without_a_connection_the_outage_is_the_answer() {
    let mut session = opened();
    put(&mut session, 0);
    sent(&mut session);
    session.handle_disconnect(outage());
    put(&mut session, 1);
    let answers = tick(&mut session, DEADLINE_US);
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[1], (caller(1), Err(outage())));
    assert_eq!(session.pending.len(), 0);
    welcome(&mut session, 7, 1);
    assert_eq!(session.frame(), None);
}

#[test]
fn a_parked_write_that_runs_out_of_time_gives_its_refusal() {
    let mut session = Session::new(Limits { retry_us: 90_000, retry_most_us: 90_000, ..LIMITS });
    welcome(&mut session, 7, 1);
    put(&mut session, 0);
    sent(&mut session);
    let (error, busy) = refusal(Class::NotPrimary);
    assert_eq!(reply(&mut session, 0, busy, 1), []);
    assert_eq!(tick(&mut session, DEADLINE_US), [(caller(0), Err(error))]);
    assert_eq!(session.hello().acknowledged_below, 2);
}
