//! Several nodes.

use super::*;

/// Links to A, B and C; A is the primary of partition 0, B of partition 1.
fn opened() -> (Rig, [LinkId; 3]) {
    let mut rig = Rig::new();
    let a = rig.open(A);
    assert!(rig.topology(1, &[A, B, C], [Some(0), Some(1)]));
    let links = [a, rig.open(B), rig.open(C)];
    (rig, links)
}

#[test]
fn an_operation_leaves_for_the_primary_of_its_partition() {
    let (mut rig, [a, b, c]) = opened();
    rig.put_in(0, 0);
    rig.put_in(1, 1);
    rig.put_in(2, 0);
    assert_eq!(rig.sent(a), [(0, 1), (2, 2)]);
    assert_eq!(rig.sent(b), [(1, 3)]);
    assert_eq!(rig.sent(c), []);
}

#[test]
fn before_the_topology_is_known_everything_goes_where_there_is_a_link() {
    let mut rig = Rig::new();
    let b = rig.open(B);
    rig.put_in(0, 0);
    rig.put_in(1, 1);
    assert_eq!(rig.sent(b), [(0, 1), (1, 2)]);
}

#[test]
fn the_watermark_and_the_limit_are_of_the_session_not_of_a_link() {
    let (mut rig, [a, b, _]) = opened();
    rig.put_in(0, 0);
    assert_eq!(rig.sent(a), [(0, 1)]);
    (1..5).for_each(|call| rig.put_in(call, 1));
    assert_eq!(rig.frame(b), (vec![(1, 2), (2, 3), (3, 4)], 1), "four are unanswered");
    for tag in 1..4 {
        rig.reply(b, tag, Ok("done"));
    }
    assert_eq!(rig.sent(b), [], "the lowest is unanswered");
    rig.reply(a, 0, Ok("done"));
    assert!(rig.session.wants_to_send(b));
    assert_eq!(rig.frame(b), (vec![(4, 5)], 5));
    rig.put_in(5, 0);
    assert_eq!(rig.frame(a).1, 5);
}

#[test]
fn while_the_primary_cannot_be_reached_another_node_hands_on() {
    let mut rig = Rig::new();
    let b = rig.open(B);
    rig.topology(1, &[A, B], [Some(0), Some(1)]);
    rig.put_in(0, 0);
    rig.put_in(1, 1);
    assert_eq!(rig.sent(b), [(0, 1), (1, 2)]);
    let a = rig.open(A);
    rig.put_in(2, 0);
    assert_eq!(rig.sent(a), [(2, 3)]);
    // What is under way stays where it is.
    assert_eq!(rig.sent(b), []);
    assert_eq!(rig.reply(b, 0, Ok("done")), [(caller(0), Ok("done"))]);
}

#[test]
fn detours_are_spread_over_the_nodes_that_the_topology_names() {
    let (mut rig, [a, b, c]) = opened();
    let stray = rig.open(NodeId(99));
    rig.topology(2, &[A, B, C, NodeId(13)], [Some(3), Some(3)]);
    rig.put_in(0, 0);
    rig.put_in(1, 1);
    assert_eq!((rig.sent(a), rig.sent(b), rig.sent(c)), (vec![(0, 1)], vec![(1, 2)], vec![]));
    assert_eq!(rig.sent(stray), []);
    for link in [a, b, c] {
        rig.disconnect(link);
    }
    assert_eq!(rig.sent(stray), [(0, 1), (1, 2)], "there is nobody else");
}

#[test]
fn one_broken_link_takes_only_its_own_operations_along() {
    let (mut rig, [a, b, c]) = opened();
    rig.put_in(0, 0);
    rig.put_in(1, 1);
    rig.put_in(2, 0);
    assert_eq!((rig.sent(a).len(), rig.sent(b).len()), (2, 1));
    rig.put_in(3, 0);
    rig.disconnect(a);
    assert_eq!(rig.reply(a, 0, Ok("too late")), [], "that stream is over");
    assert_eq!(rig.reply(b, 1, Ok("done")), [(caller(1), Ok("done"))]);
    assert_eq!((rig.sent(b), rig.sent(c)), (vec![], vec![]));
    // Under the same numbers; what was never sent comes last.
    rig.topology(2, &[B, C], [Some(1), Some(0)]);
    assert_eq!((rig.sent(b), rig.sent(c)), (vec![], vec![(0, 1), (2, 2), (3, 4)]));
    assert_eq!(rig.reply(c, 0, Ok("first answer")), [(caller(0), Ok("first answer"))]);
}

#[test]
fn the_lowest_number_never_waits_behind_what_has_none() {
    let (mut rig, [a, b, _]) = opened();
    // Numbers 1 to 4 are given to the partition of B; that of A has one which must wait.
    (0..4).for_each(|call| rig.put_in(call, 1));
    rig.sent(b);
    rig.put_in(4, 0);
    assert_eq!(rig.sent(a), []);
    rig.topology(2, &[A, B, C], [Some(0), Some(0)]);
    rig.disconnect(b);
    assert_eq!(rig.sent(a), [(0, 1), (1, 2), (2, 3), (3, 4)]);
    rig.reply(a, 0, Ok("done"));
    assert_eq!(rig.sent(a), [(4, 5)]);
}

#[test]
fn what_came_to_the_wrong_node_waits_for_news() {
    let (mut rig, [a, _, c]) = opened();
    rig.put_in(0, 0);
    rig.sent(a);
    assert_eq!(rig.refuse(a, 0, Class::NotPrimary), []);
    assert_eq!(rig.tick(999), []);
    assert_eq!((rig.sent(a), rig.sent(c)), (vec![], vec![]));
    assert!(rig.topology(2, &[A, B, C], [Some(2), Some(1)]));
    assert_eq!(rig.sent(c), [(0, 1)]);
    assert_eq!(rig.reply(c, 0, Ok("done")), [(caller(0), Ok("done"))]);
}

#[test]
fn without_news_it_asks_again_in_growing_pauses() {
    for class in [Class::NotPrimary, Class::Unavailable] {
        let (mut rig, [a, ..]) = opened();
        rig.put_in(0, 0);
        rig.sent(a);
        for due_us in [1_000, 3_000, 5_000, 7_000] {
            rig.refuse(a, 0, class);
            rig.tick(due_us - 1);
            assert_eq!(rig.sent(a), []);
            rig.tick(due_us);
            assert_eq!(rig.sent(a), [(0, 1)]);
        }
        // News make it quick again.
        rig.refuse(a, 0, class);
        rig.topology(2, &[A, B, C], [Some(0), Some(2)]);
        assert_eq!(rig.sent(a), [(0, 1)]);
        rig.refuse(a, 0, class);
        rig.tick(8_000);
        assert_eq!(rig.sent(a), [(0, 1)]);
    }
}

#[test]
fn what_found_no_room_does_not_care_for_news() {
    let (mut rig, [a, _, c]) = opened();
    rig.put_in(0, 0);
    rig.sent(a);
    rig.refuse(a, 0, Class::Overloaded);
    rig.topology(2, &[A, B, C], [Some(2), Some(1)]);
    assert_eq!(rig.sent(c), []);
    rig.tick(1_000);
    assert_eq!(rig.sent(c), [(0, 1)]);
}

#[test]
fn a_refusal_that_news_have_overtaken_needs_no_pause() {
    let (mut rig, [a, _, c]) = opened();
    rig.put_in(0, 0);
    rig.sent(a);
    rig.topology(2, &[A, B, C], [Some(2), Some(1)]);
    assert_eq!(rig.sent(c), [], "the old primary owes the answer still");
    assert_eq!(rig.refuse(a, 0, Class::NotPrimary), []);
    assert_eq!(rig.sent(c), [(0, 1)]);
}

#[test]
fn news_lead_what_waits_to_the_new_primary() {
    let (mut rig, [a, b, _]) = opened();
    rig.put_in(0, 0);
    rig.put_in(1, 1);
    rig.put_in(2, 0);
    rig.topology(2, &[A, B], [Some(1), Some(1)]);
    assert_eq!(rig.sent(a), []);
    assert_eq!(rig.sent(b), [(0, 1), (1, 2), (2, 3)]);
}

#[test]
fn old_news_and_other_clusters_news_are_none() {
    let (mut rig, [a, ..]) = opened();
    assert!(!rig.topology(1, &[A, B, C], [Some(1), Some(1)]));
    let other = Topology { cluster: 2, ..topology(9, &[B], [Some(0), Some(0)]) };
    assert!(!rig.session.handle_topology(other, 0));
    assert!(!rig.topology(9, &[A, B, C], [Some(0), Some(1)]), "nothing changed");
    assert!(!rig.topology(8, &[A, B, C], [Some(1), Some(1)]));
    let empty = Topology { primaries: Vec::new(), ..topology(10, &[B], [None, None]) };
    assert!(!rig.session.handle_topology(empty, 0));
    rig.put_in(0, 0);
    assert_eq!(rig.sent(a), [(0, 1)]);
}

#[test]
fn a_primary_that_no_node_is_named_for_is_nobody() {
    let (mut rig, [a, ..]) = opened();
    assert!(rig.topology(2, &[A], [Some(7), None]));
    rig.put_in(0, 0);
    rig.put_in(1, 1);
    assert_eq!(rig.sent(a), [(0, 1), (1, 2)], "B and C are open still, and not named");
}

#[test]
fn a_silent_node_whose_place_another_has_taken_is_given_up() {
    let (mut rig, [a, _, c]) = opened();
    rig.put_in(0, 0);
    rig.sent(a);
    rig.tick(50_000);
    assert_eq!(rig.broken(), [], "it is the primary, and may take its time");
    rig.topology(2, &[A, B, C], [Some(2), Some(1)]);
    rig.tick(59_999);
    assert_eq!((rig.broken(), rig.sent(c)), (vec![], vec![]));
    rig.tick(60_000);
    assert_eq!(rig.broken(), [a]);
    assert_eq!(rig.sent(c), [(0, 1)]);
    assert!(!rig.session.is_open(a));
}

#[test]
fn a_node_that_is_heard_is_not_given_up() {
    let (mut rig, [a, ..]) = opened();
    rig.put_in(0, 0);
    rig.put_in(1, 0);
    rig.sent(a);
    rig.topology(2, &[A, B, C], [Some(2), Some(1)]);
    rig.now_us = 9_000;
    rig.reply(a, 0, Ok("done"));
    rig.tick(18_999);
    assert_eq!(rig.broken(), []);
    rig.reply(a, 1, Ok("done"));
    rig.put_in(2, 1);
    rig.tick(40_000);
    assert_eq!(rig.broken(), [], "it owes nothing");
}

#[test]
fn a_new_session_begins_on_all_links() {
    let (mut rig, [a, b, c]) = opened();
    let before = rig.session.hello().identity;
    rig.put_in(0, 0);
    rig.put_in(1, 1);
    rig.get(2);
    rig.sent(a);
    rig.sent(b);
    rig.disconnect(a);
    let (link, answers) = rig.welcome(A, identity(8, CLUSTER));
    assert_eq!(answers.iter().map(|(caller, _)| caller.call).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(rig.broken(), [b, c]);
    // The read alone is left, and leaves over the only link.
    let link = link.unwrap();
    assert_eq!(rig.sent(link), [(2, 0)]);
    // A node that was asked for the session before cannot bring it back.
    assert_eq!(rig.welcome_late(B, before, identity(7, CLUSTER)), (None, vec![]));
    assert_eq!(rig.welcome_late(C, before, identity(9, CLUSTER)), (None, vec![]));
    let b = rig.open(B);
    rig.put_in(3, 1);
    assert_eq!(rig.frame(b), (vec![(1, 1)], 1));
}

#[test]
fn another_cluster_has_other_nodes() {
    let (mut rig, [a, ..]) = opened();
    rig.put_in(0, 1);
    rig.disconnect(a);
    let (link, answers) = rig.welcome(A, identity(7, 2));
    assert_eq!((answers, rig.broken().len()), (vec![], 2));
    assert_eq!(rig.session.topology(), None);
    assert_eq!(rig.sent(link.unwrap()), [(0, 1)]);
}

#[test]
fn a_node_that_is_named_no_more_is_forgotten_once_its_link_is_closed() {
    let (mut rig, [a, b, c]) = opened();
    rig.topology(2, &[B, C], [Some(0), Some(1)]);
    assert!(rig.session.is_open(a));
    rig.disconnect(a);
    rig.topology(3, &[B, C, A], [Some(0), Some(2)]);
    assert_eq!(rig.open(A), a);
    rig.put_in(0, 1);
    assert_eq!((rig.sent(a), rig.sent(b), rig.sent(c)), (vec![(0, 1)], vec![], vec![]));
}

#[test]
fn when_all_links_break_everything_waits_for_the_first_that_opens() {
    let (mut rig, links @ [a, b, _]) = opened();
    rig.put_in(0, 0);
    rig.put_in(1, 1);
    rig.sent(a);
    rig.sent(b);
    links.iter().for_each(|link| rig.disconnect(*link));
    assert!(rig.session.is_cut_off());
    rig.put_in(2, 0);
    let c = rig.open(C);
    assert_eq!(rig.sent(c), [], "A and B may be back in a moment");
    let b = rig.open(B);
    assert_eq!(rig.sent(b), [(1, 2)]);
    rig.tick(20_000);
    let sent = [rig.sent(b), rig.sent(c)].concat();
    assert_eq!(sent, [(0, 1), (2, 3)]);
}

#[test]
fn what_belongs_to_a_node_whose_stream_broke_waits_a_while_before_it_goes_round() {
    let (mut rig, [a, b, c]) = opened();
    rig.now_us = 5_000;
    rig.put_in(0, 0);
    rig.sent(a);
    rig.disconnect(a);
    rig.put_in(1, 0);
    rig.tick(24_999);
    assert_eq!((rig.sent(b), rig.sent(c)), (vec![], vec![]));
    rig.tick(25_000);
    assert_eq!([rig.sent(b), rig.sent(c)].concat(), [(0, 1), (1, 2)]);
    rig.put_in(2, 0);
    assert_eq!([rig.sent(b), rig.sent(c)].concat(), [(2, 3)]);
}

#[test]
fn what_waits_for_a_broken_stream_leaves_over_the_next_one() {
    let (mut rig, [a, b, _]) = opened();
    rig.put_in(0, 0);
    rig.put_in(1, 1);
    rig.sent(a);
    rig.disconnect(a);
    rig.tick(100);
    let a = rig.open(A);
    assert_eq!((rig.sent(a), rig.sent(b)), (vec![(0, 1)], vec![(1, 2)]));
}

#[test]
fn what_waited_for_a_broken_stream_in_vain_is_told_of_the_outage() {
    let (mut rig, [a, ..]) = opened();
    rig.session.limits.missed_us = DEADLINE_US * 2;
    rig.put_in(0, 0);
    rig.sent(a);
    rig.disconnect(a);
    assert_eq!(rig.tick(DEADLINE_US), [(caller(0), Err(outage()))]);
}

#[test]
fn whoever_waits_too_long_is_told_wherever_the_operation_waits() {
    let (mut rig, [a, ..]) = opened();
    rig.put_in(0, 0);
    rig.sent(a);
    rig.put_in(1, 0);
    rig.refuse(a, 0, Class::Unavailable);
    let answers = rig.tick(DEADLINE_US);
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0], (caller(0), Err(refusal(Class::Unavailable))));
    assert_eq!(answers[1].1.as_ref().unwrap_err().class, Class::Deadline);
    assert_eq!((rig.sent(a), rig.session.under_way(), rig.acknowledged_below()), (vec![], 0, 2));
}
