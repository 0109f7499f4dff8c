//! Rule 18: the primary's role goes to a backup without a wait, and nobody is refused for it.

use super::*;
use crate::{
    binding::{Score, ScoreValue},
    partition::{Limits, Place, PutMode, admission::Admission, sessions::Known},
    store::NotServing,
    types::{RequestId, SessionId},
};

const NOTHING: [&str; 0] = [];

/// As many replicas in sync; the second one is appointed, as everybody knows.
fn appointed(replicas: u64) -> Cluster {
    let mut cluster = Cluster::new(replicas, replicas, 1);
    appoint(&mut cluster);
    cluster
}

fn appoint(cluster: &mut Cluster) {
    cluster.command(Command::Appoint(NodeId(2)));
    cluster.configure_all();
}

/// The same, and the hand-over is proposed.
fn proposed(replicas: u64) -> Cluster {
    let mut cluster = appointed(replicas);
    cluster.live(150_000);
    assert_eq!(changes(&cluster), [Proposal::HandOver { join: JoinId(2) }]);
    cluster
}

/// Everybody has answered since, and the primary's tick is not over.
fn ready(replicas: u64) -> Cluster {
    let mut cluster = appointed(replicas);
    while !is_ready(&mut cluster) {
        cluster.flush(1);
        cluster.deliver_if(|letter| letter.from.0 == 1);
        for letter in std::mem::take(&mut cluster.bag) {
            cluster.deliver(letter);
        }
    }
    assert_eq!(cluster.proposed, []);
    cluster
}

fn is_ready(cluster: &mut Cluster) -> bool {
    let now_us = cluster.now_us;
    let peers = &cluster.host(1).core.as_mut().unwrap().primary().unwrap().tenure.peers;
    peers.all.iter().all(|peer| peer.is_prompt(now_us))
}

fn changes(cluster: &Cluster) -> Vec<Proposal> {
    cluster.proposed.iter().map(|proposed| proposed.change).collect()
}

fn refuse(cluster: &mut Cluster) {
    let Proposed { by, epoch, .. } = cluster.proposed.remove(0);
    cluster.input(by.0, Input::Refused { epoch, join: JoinId(2) });
    cluster.flush(by.0);
}

fn under_way(cluster: &mut Cluster, node: u64) -> usize {
    cluster.host(node).core.as_ref().unwrap().under_way()
}

fn score_all(cluster: &mut Cluster) {
    for (node, task) in std::mem::take(&mut cluster.scores) {
        let scores = [Score { column: 1, value: ScoreValue::F32(0.5) }].into_iter().collect();
        cluster.input(node.0, Input::Scored { ticket: task.ticket, result: Ok(scores) });
        cluster.flush(node.0);
    }
}

/// Whether a retry is known to be of a session that is over.
fn is_over(cluster: &mut Cluster, node: u64, session: u64) -> bool {
    let id = RequestId { session: SessionId(session), number: 1 };
    let sessions = &cluster.host(node).core.as_ref().unwrap().ledger.sessions;
    matches!(sessions.find(id), Known::Forgotten) && sessions.kept(id.session) == 0
}

#[test]
fn a_session_that_ends_meanwhile_is_ended_by_whoever_leads_then() {
    let mut cluster = Cluster::new(2, 2, 1);
    cluster.request(1, numbered(1, put(1, "a", "x")));
    cluster.settle();
    appoint(&mut cluster);
    cluster.live(150_000);
    assert_eq!(changes(&cluster), [Proposal::HandOver { join: JoinId(2) }]);
    for node in 1..=2 {
        cluster.input(node, Input::EndSession(SessionId(1)));
    }
    assert!(cluster.decide());
    cluster.configure_all();
    cluster.settle();
    assert!(is_over(&mut cluster, 2, 1), "the new primary was told while it was a backup");
    cluster.live(100_000);
    assert!(is_over(&mut cluster, 1, 1));
    cluster.assert_equal();
}

#[test]
fn a_session_that_ends_before_a_hand_over_that_comes_to_nothing_is_ended_after_it() {
    let mut cluster = Cluster::new(2, 2, 1);
    cluster.request(1, numbered(1, put(1, "a", "x")));
    cluster.settle();
    appoint(&mut cluster);
    cluster.live(150_000);
    cluster.input(1, Input::EndSession(SessionId(1)));
    refuse(&mut cluster);
    cluster.settle();
    assert!(is_over(&mut cluster, 1, 1));
}

#[test]
fn a_successor_that_hears_first_serves_as_soon_as_the_others_have_heard() {
    let mut cluster = proposed(3);
    cluster.settle();
    assert!(cluster.decide());
    cluster.configure(2);
    cluster.settle();
    assert!(!cluster.is_serving(2), "what it says is of an epoch that nobody else knows");
    cluster.configure(1);
    cluster.configure(3);
    cluster.settle();
    assert!(cluster.is_serving(2), "and no time has passed");
}

#[test]
fn the_successor_serves_without_a_wait() {
    let mut cluster = proposed(3);
    cluster.request(1, put(1, "a", "x"));
    assert_eq!(cluster.replied(), NOTHING, "it waits");
    let before_us = cluster.now_us;
    assert!(cluster.decide());
    cluster.configure_all();
    assert_eq!(cluster.forwarded.len(), 1);
    cluster.settle();
    cluster.forward();
    cluster.settle();
    assert_eq!(cluster.replied(), ["reply 1 applied v2"]);
    assert_eq!(cluster.now_us, before_us, "no time has passed");
    assert!(cluster.is_serving(2));
    assert_eq!(cluster.read(2, PLAIN, "a").unwrap().unwrap().value(), b"x");
    assert_eq!(cluster.host(1).core.as_ref().unwrap().place(), Place::Backup);
    let latest = cluster.control.latest();
    assert_eq!((latest.in_sync.len(), latest.successor, latest.handed_over), (3, None, true));
    cluster.live(200_000);
    cluster.assert_equal();
}

#[test]
fn the_lease_ends_before_the_proposal_goes_out() {
    let mut cluster = appointed(2);
    assert_eq!(cluster.read(1, PLAIN, "a"), Ok(None));
    while cluster.proposed.is_empty() {
        assert_eq!(cluster.read(1, PLAIN, "a"), Ok(None), "nothing is proposed yet");
        cluster.live(1_000);
    }
    assert_eq!(cluster.read(1, PLAIN, "a"), Err(NotServing::NoLease));
    cluster.live(2_000_000);
    assert_eq!(cluster.read(1, PLAIN, "a"), Err(NotServing::NoLease), "whoever agrees to it");
}

#[test]
fn it_is_not_proposed_before_everything_is_committed() {
    let mut cluster = ready(3);
    cluster.input(1, Input::Request(put(1, "a", "x")));
    cluster.flush(1);
    cluster.request(1, put(2, "b", "y"));
    assert_eq!(under_way(&mut cluster, 1), 2, "one is prepared, the other waits");
    cluster.deliver_if(to(2));
    cluster.deliver_if(to(1));
    assert_eq!(cluster.read(1, PLAIN, "a"), Ok(None), "it is the primary still");
    assert_eq!((cluster.proposed.len(), cluster.replied()), (0, Vec::new()));
    cluster.settle();
    assert_eq!(cluster.replied(), ["reply 1 applied v2"]);
    assert_eq!(changes(&cluster), [Proposal::HandOver { join: JoinId(2) }]);
}

#[test]
fn one_that_cannot_commit_goes_on_as_before() {
    let mut cluster = ready(3);
    cluster.input(1, Input::Request(put(1, "a", "x")));
    cluster.flush(1);
    cluster.request(1, put(2, "b", "y"));
    let is_lost = |letter: &Letter| matches!(letter.frame.body, Body::Prepare { .. }) && to(3)(letter);
    for _ in 0..45 {
        cluster.lose_if(is_lost);
        cluster.deliver_if(|_| true);
        cluster.lose_if(is_lost);
        cluster.pass(10_000);
    }
    assert!(changes(&cluster).iter().all(|change| matches!(change, Proposal::Remove { .. })));
    assert!(cluster.is_serving(1));
    cluster.proposed.clear();
    cluster.live(1_000_000);
    assert_eq!(cluster.replied(), ["reply 1 applied v2", "reply 2 applied v3"]);
    assert_eq!(changes(&cluster)[0], Proposal::HandOver { join: JoinId(2) }, "it is tried again");
}

#[test]
fn when_it_is_refused_the_primary_goes_on_with_what_waited() {
    let mut cluster = proposed(2);
    cluster.request(1, numbered(1, put(1, "a", "x")));
    cluster.request(1, numbered(1, put(2, "a", "x")));
    refuse(&mut cluster);
    cluster.settle();
    assert_eq!(cluster.replied(), ["reply 1 applied v2", "reply 2 applied v2"]);
    assert!(cluster.read(1, PLAIN, "a").is_ok());
    assert_eq!(under_way(&mut cluster, 1), 0);
    cluster.live(300_000);
    assert_eq!(cluster.proposed, [], "not again at once");
    cluster.live(400_000);
    assert_eq!(cluster.proposed.len(), 1);
}

#[test]
fn of_several_copies_one_may_still_take_effect() {
    let mut cluster = proposed(2);
    cluster.live(900_000);
    assert_eq!(cluster.proposed.len(), 3, "its outcome is not known, and it is proposed again");
    refuse(&mut cluster);
    refuse(&mut cluster);
    cluster.live(100_000);
    assert_eq!(cluster.read(1, PLAIN, "a"), Err(NotServing::NoLease));
    let last = cluster.proposed.remove(0);
    assert!(cluster.control.propose(last.generation, last.epoch, last.change));
    cluster.configure(2);
    cluster.configure(1);
    cluster.settle();
    assert!(cluster.is_serving(2));
}

#[test]
fn a_copy_that_is_late_finds_another_epoch() {
    let mut cluster = proposed(3);
    cluster.request(1, put(1, "a", "x"));
    cluster.command(Command::Fail(NodeId(3)));
    cluster.configure(1);
    cluster.configure(2);
    cluster.lose_if(|letter| letter.to.0 == 3);
    assert!(cluster.is_serving(1), "the epoch has moved on");
    assert!(!cluster.decide());
    cluster.settle();
    assert_eq!(cluster.replied(), ["reply 1 applied v2"]);
}

#[test]
fn a_holder_that_is_gone_keeps_nobody_waiting_but_for_commits() {
    let mut cluster = proposed(3);
    cluster.host(1).crash();
    assert!(cluster.decide());
    cluster.configure(2);
    cluster.configure(3);
    cluster.command(Command::Fail(NodeId(1)));
    cluster.configure(2);
    cluster.configure(3);
    cluster.settle();
    cluster.request(2, put(1, "a", "x"));
    cluster.settle();
    assert_eq!(cluster.replied(), ["reply 1 applied v2"]);
}

#[test]
fn a_successor_that_is_gone_is_replaced_after_the_wait() {
    let mut cluster = proposed(3);
    assert!(cluster.decide());
    cluster.host(2).crash();
    cluster.command(Command::Fail(NodeId(2)));
    cluster.configure_all();
    let latest = cluster.control.latest();
    assert_eq!((latest.primary_node(), latest.handed_over), (Some(NodeId(3)), false));
    cluster.live(400_000);
    assert!(!cluster.is_serving(3), "it has granted a lease itself");
    cluster.live(200_000);
    assert!(cluster.is_serving(3));
}

#[test]
fn who_hears_of_the_hand_over_with_a_later_configuration_need_not_wait_either() {
    let mut cluster = Cluster::new(3, 2, 1);
    appoint(&mut cluster);
    cluster.live(150_000);
    assert!(cluster.decide());
    cluster.command(Command::AddLearner(NodeId(3)));
    cluster.configure_all();
    cluster.settle();
    assert!(cluster.is_serving(2));
}

#[test]
fn what_waits_for_scores_or_for_its_turn_is_forwarded() {
    let mut cluster = Cluster::new(2, 2, 1);
    cluster.request(1, numbered(1, card(1, "a", 2.0)));
    cluster.request(1, numbered(1, card(2, "a", 2.0)));
    cluster.request(1, numbered(2, card(3, "a", 3.0)));
    let asked = std::mem::take(&mut cluster.scores);
    appoint(&mut cluster);
    cluster.settle();
    assert!(cluster.decide());
    cluster.configure_all();
    assert_eq!(cluster.replied(), NOTHING);
    let forwarded: Vec<_> =
        cluster.forwarded.iter().map(|(to, request)| (to.0, request.origin.tag, request.id)).collect();
    let id = |number| numbered(number, put(0, "a", "")).id;
    assert_eq!(forwarded, [(2, 2, id(1)), (2, 1, id(1)), (2, 3, id(2))]);
    cluster.settle();
    cluster.forward();
    score_all(&mut cluster);
    score_all(&mut cluster);
    cluster.settle();
    score_all(&mut cluster);
    cluster.settle();
    let mut replied = cluster.replied();
    replied.sort();
    assert_eq!(
        replied,
        [
            "reply 1 applied v2 record a=2/0.5/-@2 by 1:1",
            "reply 2 applied v2 record a=2/0.5/-@2 by 1:1",
            "reply 3 applied v3 record a=3/0.5/-@3 by 1:1"
        ]
    );
    assert_eq!(under_way(&mut cluster, 1), 0);
    let before = cluster.history.entries.len();
    for (node, task) in asked {
        for to in [node.0, 2] {
            let scores = [Score { column: 1, value: ScoreValue::F32(9.0) }].into_iter().collect();
            cluster.input(to, Input::Scored { ticket: task.ticket, result: Ok(scores) });
        }
    }
    assert_eq!(cluster.history.entries.len(), before, "a stale answer changes nothing");
}

#[test]
fn scores_that_come_meanwhile_are_used_if_nothing_comes_of_it() {
    let mut cluster = Cluster::new(2, 2, 1);
    cluster.request(1, numbered(1, card(1, "a", 2.0)));
    appoint(&mut cluster);
    cluster.settle();
    score_all(&mut cluster);
    assert_eq!(cluster.history.entries.len(), 1, "no seq is given out");
    refuse(&mut cluster);
    cluster.settle();
    assert_eq!(cluster.replied(), ["reply 1 applied v2 record a=2/0.5/-@2 by 1:1"]);
}

#[test]
fn what_is_late_while_it_waits_is_told_so() {
    let mut cluster = proposed(2);
    let deadline_us = Some(cluster.now_us + 20_000);
    cluster.request(1, Request { deadline_us, ..put(1, "a", "x") });
    cluster.request(1, put(2, "b", "y"));
    cluster.live(30_000);
    assert_eq!(
        cluster.replied(),
        ["reply 1 deadline: the request's deadline passed while its partition was handed over"]
    );
    assert_eq!(under_way(&mut cluster, 1), 1);
}

#[test]
fn more_waits_than_there_is_room_for_is_overloaded() {
    let mut cluster = proposed(2);
    cluster.host(1).core.as_mut().unwrap().primary().unwrap().tenure.admission =
        Admission::new(&Limits { ops: 2, ..Limits::default() });
    for tag in 1..=3 {
        cluster.request(1, put(tag, "a", "x"));
    }
    let replied = cluster.replied();
    assert_eq!(replied.len(), 1);
    assert!(replied[0].starts_with("reply 3 overloaded: "), "{replied:?}");
}

#[test]
fn a_catalogue_that_comes_meanwhile_takes_effect_later() {
    let mut bench = Bench::bound("");
    let mut cluster = proposed(2);
    bench.deploy(2);
    let late = Arc::new(View::compile(&bench.catalogue).unwrap());
    cluster.input(1, Input::View(late));
    assert_eq!(cluster.host(1).core.as_ref().unwrap().end().seq.0, 1);
    refuse(&mut cluster);
    cluster.settle();
    assert_eq!(cluster.history.entries.len(), 2);
}

#[test]
fn nothing_expires_between_two_primaries() {
    let mut cluster = Cluster::new(2, 2, 1);
    cluster.request(1, put_ttl(1, "a", "x", 200));
    cluster.settle();
    appoint(&mut cluster);
    cluster.live(300_000);
    assert_eq!(cluster.history.entries.len(), 2);
    assert!(cluster.decide());
    cluster.configure_all();
    cluster.live(50_000);
    let entry = cluster.history.entries.last().unwrap();
    assert!(line(&Effect::Publish(entry.clone())).starts_with("publish 3 [expire a=x@2"));
}

#[test]
fn a_hand_over_begins_when_everybody_answers_and_nobody_joins() {
    let mut cluster = Cluster::new(3, 2, 1);
    cluster.command(Command::AddLearner(NodeId(3)));
    cluster.configure_all();
    cluster.live(150_000);
    let join = join_of(&cluster, 3);
    assert_eq!(changes(&cluster), [Proposal::Admit { join }]);
    cluster.proposed.clear();
    cluster.live(100_000);
    // Two of them, and the outcome of neither is known.
    appoint(&mut cluster);
    cluster.pass(10_000);
    assert_eq!(cluster.proposed, [], "the successor has said nothing in this epoch");
    cluster.settle();
    cluster.pass(10_000);
    cluster.settle();
    let proposed = changes(&cluster);
    assert_eq!(proposed.len(), 1, "one thing at a time: {proposed:?}");
}

#[test]
fn a_condition_is_decided_once_and_by_the_new_primary() {
    let mut cluster = proposed(2);
    cluster.request(1, put_if(1, "a", "x", PutMode::IfAbsent));
    cluster.request(1, put_if(2, "a", "y", PutMode::IfAbsent));
    assert!(cluster.decide());
    cluster.configure_all();
    // They may come before it serves.
    cluster.forward();
    assert_eq!(cluster.replied(), NOTHING);
    cluster.settle();
    assert_eq!(cluster.replied(), ["reply 1 applied v2", "reply 2 not applied v2 old a=x@2"]);
}
