//! Rules 13 to 15: who may be read, and until when.

use super::*;
use crate::store::NotServing;

#[test]
fn a_primary_is_read_while_everybody_in_sync_agrees() {
    let mut cluster = Cluster::new(3, 3, 1);
    assert_eq!(cluster.read(1, PLAIN, "a"), Ok(None));
    assert_eq!(cluster.read(2, PLAIN, "a"), Err(NotServing::NoLease));
    for _ in 0..10 {
        cluster.pass(100_000);
        cluster.deliver_if(|letter| !between(1, 3)(letter));
        cluster.deliver_if(|letter| !between(1, 3)(letter));
    }
    assert_eq!(cluster.read(1, PLAIN, "a"), Err(NotServing::NoLease), "one has not agreed for a second");
    cluster.request(1, put(1, "a", "x"));
    assert_eq!(cluster.replied(), ["reply 1 unavailable: partition 0 has no lease"]);
    cluster.settle();
    assert_eq!(cluster.read(1, PLAIN, "a"), Ok(None));
}

#[test]
fn a_lease_counts_from_when_the_beacon_was_sent() {
    let mut cluster = Cluster::new(2, 2, 1);
    cluster.pass(100_000);
    let sent_us = cluster.now_us;
    cluster.now_us += 300_000;
    cluster.deliver_if(is_beacon);
    cluster.deliver_if(is_beacon);
    cluster.now_us = sent_us + 499_999;
    assert_eq!(cluster.read(1, PLAIN, "a"), Ok(None));
    cluster.now_us += 1;
    assert_eq!(cluster.read(1, PLAIN, "a"), Err(NotServing::NoLease));
    let granted_us = cluster.host(2).core.as_ref().unwrap().site.granted_until_us;
    assert_eq!(granted_us, sent_us + 300_000 + 550_000, "the grantor counts from the receipt, and longer");
}

#[test]
fn a_lease_from_the_future_is_none() {
    let mut cluster = Cluster::new(2, 2, 1);
    cluster.pass(100_000);
    for letter in &mut cluster.bag {
        if let Body::Beacon { sent_us, .. } = &mut letter.frame.body {
            *sent_us += 1_000_000;
        }
    }
    cluster.settle();
    cluster.now_us += 400_000;
    assert_eq!(cluster.read(1, PLAIN, "a"), Err(NotServing::NoLease));
}

#[test]
fn a_sole_replica_needs_the_control_leader() {
    let mut cluster = Cluster::new(1, 1, 1);
    assert_eq!(cluster.read(1, PLAIN, "a"), Err(NotServing::NoLease));
    cluster.grant(1);
    assert_eq!(cluster.read(1, PLAIN, "a"), Ok(None));
    cluster.now_us += 500_000;
    assert_eq!(cluster.read(1, PLAIN, "a"), Err(NotServing::NoLease));
}

#[test]
fn the_control_leader_cannot_stand_in_for_a_backup() {
    let mut cluster = Cluster::new(2, 2, 1);
    cluster.now_us += 600_000;
    cluster.grant(1);
    assert_eq!(cluster.read(1, PLAIN, "a"), Err(NotServing::NoLease));
}

#[test]
fn leases_outlive_an_epoch_but_not_a_tenure() {
    let mut cluster = Cluster::new(3, 2, 1);
    cluster.command(Command::AddLearner(NodeId(3)));
    cluster.configure(1);
    assert_eq!(cluster.read(1, PLAIN, "a"), Ok(None), "the same primary, the next epoch");
    let reader = cluster.host(1).core.as_ref().unwrap().reader();
    cluster.command(Command::Promote(NodeId(2)));
    cluster.command(Command::Promote(NodeId(1)));
    // It hears of the later one alone.
    cluster.configure_all();
    assert!(reader.check(0).is_err());
    assert_eq!(cluster.read(1, PLAIN, "a"), Err(NotServing::NoLease));
    cluster.live(200_000);
    assert_eq!(cluster.read(1, PLAIN, "a"), Ok(None));
    assert!(reader.check(0).is_err(), "a reader of epoch e does not pass by a lease of e + 2");
}
