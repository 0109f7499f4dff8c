//! Rule 17's copy.

use super::*;
use crate::partition::{Part, Verdict};

fn is_part(letter: &Letter) -> bool {
    matches!(letter.frame.body, Body::Fill { .. })
}

fn is_rows(letter: &Letter) -> bool {
    matches!(letter.frame.body, Body::Fill { part: Part::Rows { .. }, .. })
}

/// A sole primary with these rows, and a learner that has heard nothing.
fn with_rows(keys: &[&str]) -> Cluster {
    let mut cluster = Cluster::new(2, 1, 1);
    cluster.grant(1);
    for (number, key) in (1..).zip(keys) {
        cluster.request(1, numbered(number, put(number, key, "x")));
    }
    cluster.command(Command::AddLearner(NodeId(2)));
    cluster.configure_all();
    cluster.replied();
    cluster
}

/// Everything is delivered until the learner is proposed.
fn fill(cluster: &mut Cluster) {
    for _ in 0..100 {
        if cluster.proposed.is_empty() {
            cluster.grant(1);
            cluster.live(10_000);
        }
    }
    let join = join_of(cluster, 2);
    assert_eq!(cluster.proposed[0].change, Proposal::Admit { join }, "{:?}", cluster.proposed);
}

#[test]
fn a_learner_gets_rows_answers_and_the_log() {
    let mut cluster = with_rows(&["a", "b", "c"]);
    fill(&mut cluster);
    cluster.live(200_000);
    cluster.assert_equal();
    let log = |cluster: &mut Cluster, node| {
        let core = cluster.host(node).core.as_ref().unwrap();
        core.log().after(core.log().floor()).unwrap().cloned().collect::<Vec<_>>()
    };
    assert_eq!(log(&mut cluster, 1), log(&mut cluster, 2));
    assert_eq!(log(&mut cluster, 2).len(), 4);
    cluster.decide();
    cluster.command(Command::Promote(NodeId(2)));
    cluster.configure_all();
    cluster.live(700_000);
    cluster.request(2, numbered(1, put(9, "a", "x")));
    assert_eq!(cluster.replied(), ["reply 9 applied v2"], "the first answer");
}

#[test]
fn the_primary_says_how_far_it_is() {
    let mut cluster = with_rows(&["a", "b", "c"]);
    let account = |cluster: &Cluster| cluster.hosts[0].core.as_ref().unwrap().account().unwrap();
    let before = account(&cluster);
    assert_eq!((before.rows, before.others[0].node, before.others[0].copied), (3, NodeId(2), Some(0)));
    let mut seen = Vec::new();
    while let [of] = account(&cluster).others[..]
        && let Some(copied) = of.copied
    {
        seen.push(copied);
        cluster.flush(1);
        cluster.deliver_if(|_| true);
    }
    assert!(seen.is_sorted() && seen.contains(&3), "{seen:?}");
    cluster.live(100_000);
    assert_eq!(account(&cluster).others[0].lag, 0);
    cluster.grant(1);
    cluster.request(1, put(9, "d", "x"));
    assert_eq!(account(&cluster).others[0].lag, 1);
    assert_eq!(cluster.hosts[1].core.as_ref().unwrap().account(), None, "it does not lead");
}

#[test]
fn parts_come_one_by_one_and_again_if_they_are_lost() {
    let mut cluster = with_rows(&["a"]);
    cluster.flush(1);
    cluster.lose_if(is_part);
    cluster.pass(50_000);
    cluster.lose_if(|letter| !is_part(letter));
    assert_eq!(cluster.frames(), ["1>2 fill 2#0 begin 1.2"]);
    let begin = cluster.bag.clone();
    cluster.deliver_if(|_| true);
    assert_eq!(cluster.frames(), ["2>1 filled 2#0 Taken"]);
    cluster.bag.extend(begin);
    cluster.deliver_if(to(2));
    assert_eq!(cluster.frames(), ["2>1 filled 2#0 Taken", "2>1 filled 2#0 Taken"], "it begins once");
    fill(&mut cluster);
}

#[test]
fn a_row_that_is_removed_meanwhile_does_not_come_back() {
    let mut cluster = with_rows(&["a", "b"]);
    while !cluster.bag.iter().any(is_rows) {
        cluster.flush(1);
        cluster.deliver_if(|letter| !is_rows(letter));
    }
    let (rows, _): (Vec<_>, Vec<_>) = cluster.bag.drain(..).partition(is_rows);
    cluster.request(1, remove(9, "a", None));
    cluster.request(1, remove(10, "b", None));
    cluster.request(1, put(11, "b", "y"));
    cluster.deliver_if(|letter| !is_rows(letter));
    cluster.pass(100_000);
    cluster.deliver_if(|letter| !is_rows(letter));
    rows.into_iter().for_each(|letter| cluster.deliver(letter));
    fill(&mut cluster);
    cluster.live(200_000);
    cluster.assert_equal();
}

#[test]
fn writes_go_on_meanwhile() {
    let mut cluster = with_rows(&["a", "b", "c"]);
    for tag in 10..18 {
        cluster.grant(1);
        cluster.request(1, put(tag, ["a", "b", "c", "d"][tag as usize % 4], "z"));
        cluster.deliver_if(|_| true);
    }
    assert_eq!(cluster.replied().len(), 8, "nobody waits for a learner");
    fill(&mut cluster);
    cluster.live(200_000);
    cluster.assert_equal();
}

#[test]
fn the_next_primary_begins_anew() {
    let mut cluster = Cluster::new(3, 2, 1);
    cluster.request(1, put(1, "a", "x"));
    cluster.settle();
    cluster.command(Command::AddLearner(NodeId(3)));
    cluster.configure_all();
    cluster.settle();
    // The learner hears of a commit that the next primary has yet to hear of.
    cluster.request(1, put(2, "b", "x"));
    cluster.settle();
    cluster.pass(100_000);
    cluster.deliver_if(to(3));
    assert_eq!(cluster.host(3).core.as_ref().unwrap().position().seq.0, 3);
    assert_eq!(cluster.host(2).core.as_ref().unwrap().position().seq.0, 2);
    cluster.lose_if(|_| true);
    cluster.proposed.clear();
    cluster.command(Command::Promote(NodeId(2)));
    cluster.configure_all();
    cluster.flush(3);
    let (stale, _): (Vec<_>, Vec<_>) = cluster.bag.drain(..).partition(|letter| letter.from.0 == 3);
    assert!(
        matches!(stale[..], [Letter { frame: Frame { body: Body::Behind { has }, .. }, .. }] if has.0 == 3)
    );
    cluster.flush(2);
    assert!(cluster.frames().iter().any(|frame| frame == "2>3 fill 3#0 begin 1.2"), "{:?}", cluster.frames());
    cluster.deliver_if(|_| true);
    cluster.deliver_if(to(2));
    // It begins after entry 2 now: what it said of the fill before is no acknowledgement of entry 3.
    cluster.lose_if(to(3));
    stale.into_iter().for_each(|letter| cluster.deliver(letter));
    cluster.live(700_000);
    assert_eq!(cluster.host(3).core.as_ref().unwrap().end(), cluster.host(2).core.as_ref().unwrap().end());
    cluster.assert_equal();
    let join = join_of(&cluster, 3);
    assert_eq!(cluster.proposed[0].change, Proposal::Admit { join });
}

#[test]
fn a_copy_that_differs_is_of_no_use() {
    let mut cluster = with_rows(&["a", "b"]);
    for _ in 0..200 {
        for letter in &mut cluster.bag {
            if let Body::Fill { part: Part::Rows { rows, .. }, .. } = &mut letter.frame.body {
                rows.clear();
            }
        }
        let differs =
            |letter: &Letter| matches!(letter.frame.body, Body::Filled { verdict: Verdict::Differs, .. });
        if cluster.bag.iter().any(differs) {
            cluster.settle();
            let join = join_of(&cluster, 2);
            assert_eq!(cluster.proposed[0].change, Proposal::Remove { join });
            return;
        }
        cluster.deliver_if(|_| true);
        cluster.pass(1_000);
    }
    panic!("nobody noticed");
}
