//! Rule 5: a backup becomes the primary, and everything that was acknowledged is still there.

use super::*;
use crate::{
    binding::{Score, ScoreValue},
    partition::Place,
    types::Class,
};

const NOTHING: [&str; 0] = [];

fn score_all(cluster: &mut Cluster) {
    for (node, task) in std::mem::take(&mut cluster.scores) {
        let scores = [Score { column: 1, value: ScoreValue::F32(0.5) }].into_iter().collect();
        cluster.input(node.0, Input::Scored { ticket: task.ticket, result: Ok(scores) });
    }
}

/// The first host falls silent; the others hear of a configuration without it.
fn fail_first(cluster: &mut Cluster) {
    cluster.lose_if(|letter| letter.from.0 == 1 || letter.to.0 == 1);
    cluster.host(1).crash();
    cluster.command(Command::Fail(NodeId(1)));
    (2..=cluster.hosts.len() as u64).for_each(|node| cluster.configure(node));
}

#[test]
fn it_waits_for_the_lease_that_it_granted() {
    let mut cluster = Cluster::new(3, 3, 1);
    let heir = |cluster: &Cluster| cluster.control.latest().primary_node().unwrap().0;
    cluster.request(1, put(1, "a", "x"));
    cluster.settle();
    fail_first(&mut cluster);
    let heir = heir(&cluster);
    cluster.settle();
    cluster.request(heir, put(2, "a", "y"));
    assert_eq!(
        cluster.replied()[1..],
        ["reply 2 unavailable: partition 0 has a new primary that does not serve yet"]
    );
    cluster.live(549_999);
    assert!(!cluster.is_serving(heir));
    cluster.live(1);
    assert!(cluster.is_serving(heir));
    assert_eq!(cluster.read(heir, PLAIN, "a").unwrap().unwrap().value(), b"x");
    cluster.request(heir, put(3, "a", "z"));
    cluster.settle();
    assert_eq!(cluster.replied(), ["reply 3 applied v3 old a=x@2"]);
}

/// A request may come at the moment when the lease is over, before the tick that was due then.
#[test]
fn whatever_comes_first_after_that_lease_ends_the_wait() {
    let mut cluster = Cluster::new(2, 2, 1);
    cluster.request(1, put(1, "a", "x"));
    cluster.settle();
    fail_first(&mut cluster);
    cluster.now_us += 600_000;
    cluster.grant(2);
    cluster.request(2, put(2, "a", "y"));
    assert_eq!(cluster.replied()[1..], ["reply 2 applied v3 old a=x@2"]);
    assert!(cluster.is_serving(2));
}

#[test]
fn a_primary_that_misses_a_configuration_goes_on() {
    let mut cluster = Cluster::new(3, 2, 1);
    cluster.request(1, put(1, "a", "x"));
    cluster.command(Command::AddLearner(NodeId(3)));
    cluster.command(Command::Fail(NodeId(2)));
    cluster.configure(1);
    cluster.grant(1);
    cluster.flush(1);
    assert_eq!(cluster.replied(), ["reply 1 applied v2"]);
    assert!(cluster.is_serving(1));
}

#[test]
fn a_primary_that_misses_another_one_begins_anew() {
    let mut cluster = Cluster::new(2, 2, 1);
    cluster.request(1, put(1, "a", "x"));
    cluster.command(Command::Promote(NodeId(2)));
    cluster.command(Command::Promote(NodeId(1)));
    cluster.configure(1);
    assert!(!cluster.is_serving(1), "it knows nothing of what the other one did");
    assert_eq!(cluster.replied().len(), 1, "whoever waits is sent on");
}

#[test]
fn what_was_prepared_is_committed_and_its_retry_answered() {
    let mut cluster = Cluster::new(2, 2, 1);
    cluster.request(1, numbered(1, put(1, "a", "x")));
    cluster.deliver_if(to(2));
    assert_eq!(cluster.frames(), ["2>1 prepared 2"]);
    fail_first(&mut cluster);
    cluster.live(600_000);
    cluster.grant(2);
    assert_eq!(cluster.history.entries.len(), 2);
    cluster.request(2, numbered(1, put(2, "a", "x")));
    assert_eq!(cluster.replied(), ["reply 2 applied v2"], "the first answer, and no second effect");
}

#[test]
fn a_score_in_flight_is_asked_for_anew_by_whoever_gets_the_retry() {
    let mut cluster = Cluster::new(3, 3, 1);
    cluster.request(1, numbered(1, card(1, "a", 2.0)));
    cluster.command(Command::Promote(NodeId(2)));
    cluster.configure_all();
    assert_eq!(cluster.replied(), ["reply 1 not_primary: partition 0 is led elsewhere"]);
    score_all(&mut cluster);
    cluster.live(600_000);
    cluster.request(2, numbered(1, card(2, "a", 2.0)));
    score_all(&mut cluster);
    cluster.settle();
    assert_eq!(cluster.replied(), ["reply 2 applied v2 record a=2/0.5/-@2 by 1:1"]);
    assert_eq!(cluster.host(1).core.as_ref().unwrap().under_way(), 0);
}

#[test]
fn scores_owed_are_found_in_the_rows() {
    let view = Arc::new(View::compile(&Bench::bound("mode = \"async\"").catalogue).unwrap());
    let mut cluster = Cluster::silent(2, 2, 1, view);
    cluster.settle();
    cluster.request(1, card(1, "a", 2.0));
    cluster.settle();
    cluster.scores.clear();
    fail_first(&mut cluster);
    cluster.grant(2);
    cluster.live(600_000);
    assert_eq!(cluster.scores.len(), 1);
    score_all(&mut cluster);
    let entry = cluster.history.entries.last().unwrap();
    assert_eq!(
        line(&Effect::Publish(entry.clone())),
        "publish 3 [scored a=2/-/-@2 unscored -> a=2/0.5/-@2 by 1:1]"
    );
}

#[test]
fn rows_expire_under_the_next_primary_too() {
    let mut cluster = Cluster::new(2, 2, 1);
    cluster.request(1, put_ttl(1, "a", "x", 300));
    cluster.settle();
    fail_first(&mut cluster);
    cluster.grant(2);
    cluster.live(700_000);
    let entry = cluster.history.entries.last().unwrap();
    assert!(line(&Effect::Publish(entry.clone())).starts_with("publish 3 [expire a=x@2"));
}

#[test]
fn who_waits_at_the_old_primary_is_sent_on() {
    let mut cluster = Cluster::new(2, 2, 1);
    cluster.request(1, numbered(1, put(1, "a", "x")));
    cluster.request(1, put_if(2, "a", "y", crate::partition::PutMode::IfAbsent));
    cluster.request(1, numbered(2, card(3, "b", 1.0)));
    assert_eq!(cluster.replied(), NOTHING);
    cluster.command(Command::Promote(NodeId(2)));
    cluster.configure(1);
    let classes =
        cluster.replies.iter().map(|(origin, answer)| (origin.tag, answer.clone().unwrap_err().class));
    let classes: Vec<_> = classes.collect();
    assert_eq!(classes, [(3, Class::NotPrimary), (1, Class::NotPrimary), (2, Class::NotPrimary)]);
    cluster.request(1, put(4, "a", "x"));
    assert_eq!(cluster.replies.last().unwrap().1.clone().unwrap_err().class, Class::NotPrimary);
}

#[test]
fn below_the_catalogue_of_its_log_it_does_not_serve() {
    let mut bench = Bench::bound("");
    let early = Arc::new(View::compile(&bench.catalogue).unwrap());
    bench.deploy(2);
    let late = Arc::new(View::compile(&bench.catalogue).unwrap());
    let mut cluster = Cluster::silent(2, 2, 1, early);
    cluster.settle();
    cluster.input(1, Input::View(late.clone()));
    cluster.settle();
    fail_first(&mut cluster);
    cluster.grant(2);
    cluster.live(600_000);
    assert_eq!(cluster.host(2).core.as_ref().unwrap().place(), Place::Primary);
    assert!(!cluster.is_serving(2));
    cluster.input(2, Input::View(late));
    assert!(cluster.is_serving(2));
    assert_eq!(cluster.history.entries.len(), 2, "it is the version of the log already");
}
