//! Rules 3 and 4: a silent backup goes; where too few are left, nothing commits.

use super::*;

const NOTHING: [&str; 0] = [];

/// Time passes, and nothing reaches the host.
fn isolate(cluster: &mut Cluster, node: u64, us: u64) {
    let until_us = cluster.now_us + us;
    while cluster.now_us < until_us {
        cluster.pass(10_000);
        cluster.lose_if(|letter| letter.from.0 == node || letter.to.0 == node);
        cluster.settle_without(node);
    }
}

impl Cluster {
    fn settle_without(&mut self, node: u64) {
        while self.deliver_if(|letter| letter.to.0 != node) > 0 {
            self.lose_if(|letter| letter.to.0 == node);
        }
    }
}

#[test]
fn a_hung_backup_is_reported_and_counts_until_it_is_gone() {
    let mut cluster = Cluster::new(3, 3, 1);
    cluster.request(1, put(1, "a", "x"));
    isolate(&mut cluster, 3, 390_000);
    assert_eq!(cluster.proposed, []);
    isolate(&mut cluster, 3, 20_000);
    let join = join_of(&cluster, 3);
    let [proposed] = cluster.proposed[..] else { panic!("{:?}", cluster.proposed) };
    assert_eq!((proposed.change, proposed.epoch), (Proposal::Remove { join }, Epoch(1)));
    assert!(cluster.decide());
    assert_eq!(cluster.replied(), NOTHING, "it is proposed, and not known to be removed");
    cluster.configure(1);
    cluster.configure(2);
    cluster.settle_without(3);
    assert_eq!(cluster.replied(), ["reply 1 applied v2"]);
}

#[test]
fn a_report_that_is_lost_is_made_again() {
    let mut cluster = Cluster::new(2, 2, 1);
    isolate(&mut cluster, 2, 600_000);
    assert_eq!(cluster.proposed.len(), 1, "a beacon without an answer is enough");
    isolate(&mut cluster, 2, 400_000);
    assert_eq!(cluster.proposed.len(), 2);
}

#[test]
fn what_a_removed_replica_acknowledges_counts_for_nothing() {
    let mut cluster = Cluster::new(3, 3, 1);
    cluster.request(1, put(1, "a", "x"));
    cluster.deliver_if(to(3));
    cluster.lose_if(to(2));
    cluster.command(Command::Fail(NodeId(3)));
    cluster.configure(1);
    cluster.deliver_if(to(1));
    assert_eq!(cluster.replied(), NOTHING);
    cluster.configure(2);
    cluster.settle();
    assert_eq!(cluster.replied(), ["reply 1 applied v2"]);
}

#[test]
fn with_too_few_in_sync_nothing_commits_and_the_eligible_has_it_all() {
    let mut cluster = Cluster::new(2, 2, 2);
    cluster.request(1, put(1, "a", "x"));
    cluster.settle();
    cluster.command(Command::Fail(NodeId(2)));
    cluster.configure(1);
    cluster.grant(1);
    cluster.request(1, put(2, "a", "y"));
    cluster.settle();
    assert_eq!(cluster.replied(), ["reply 1 applied v2"]);
    cluster.now_us += 1_000_000;
    cluster.command(Command::PromoteEligible);
    cluster.configure_all();
    cluster.host(1).crash();
    cluster.command(Command::Restart(NodeId(1)));
    cluster.command(Command::AddLearner(NodeId(1)));
    for _ in 0..100 {
        cluster.configure_all();
        cluster.grant(2);
        cluster.live(10_000);
        if !cluster.proposed.is_empty() {
            cluster.decide();
        }
    }
    assert_eq!(cluster.read(2, PLAIN, "a").unwrap().unwrap().value(), b"x");
    cluster.request(2, put(3, "a", "z"));
    cluster.settle();
    assert_eq!(cluster.replied().last().unwrap(), "reply 3 applied v3 old a=x@2");
}
