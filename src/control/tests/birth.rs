//! How clusters come to be, and how nodes join them.

use std::collections::BTreeSet;

use super::*;
use crate::types::Incarnation;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_found_one_cluster_and_each_proposes() {
    let nodes = found(3).await;
    let clusters: BTreeSet<u64> = nodes.iter().map(Node::cluster).collect();
    assert_eq!(clusters.len(), 1);
    for node in &nodes {
        let catalogue = node.control.catalogue();
        let started = Started { node: node.id(), incarnation: Incarnation(1), new_generation: false };
        assert_eq!(node.started(), started);
        assert_eq!(catalogue.members().count(), 3);
        assert!(catalogue.members().all(|member| member.incarnation == Incarnation(1)));
        // All three found it: every partition has its copies from the first moment.
        assert!(catalogue.configurations().iter().all(|held| held.in_sync.len() == 2));
    }
    nodes[0].voters(3).await;
    for (number, node) in nodes.iter().enumerate() {
        let name = format!("m{number}");
        node.create(&name).await.unwrap();
        // Applied where it was proposed, on return.
        assert!(node.maps().contains(&name));
    }
    for node in &nodes {
        let mut catalogue = node.control.watch();
        soon(catalogue.wait_for(|catalogue| catalogue.maps().count() == 3)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fourth_node_joins_by_any_member() {
    let nodes = found(3).await;
    let follower = nodes.iter().find(|node| !node.control.leadership().borrow().is_me).unwrap();
    let fourth = Listening::with_seeds(&[follower.address()]).await.enter(None).await;
    assert_eq!(fourth.cluster(), nodes[0].cluster());
    assert_eq!(fourth.started().incarnation, Incarnation(1));
    fourth.create("a").await.unwrap();
    assert_eq!(fourth.maps(), ["a"]);
    let fifth = Listening::with_seeds(&[fourth.address()]).await.enter(Some(3)).await;
    assert_eq!(fifth.cluster(), nodes[0].cluster());
    assert_eq!(fifth.maps(), ["a"]);
    // Three vote while there are four, five once there are five.
    fifth.voters(5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seed_that_is_not_there_stops_nobody() {
    let absent = "127.0.0.1:9".to_owned();
    let first = Listening::with_seeds(&[absent.clone(), "nowhere.invalid:7701".to_owned()]).await;
    let second = Listening::with_seeds(&[absent, first.address()]).await;
    let (first, second) = tokio::join!(first.enter(Some(2)), second.enter(Some(2)));
    assert_eq!(first.cluster(), second.cluster());
    second.voters(2).await;
    second.create("a").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_with_different_secrets_never_meet() {
    let first = Listening::with_seeds(&[]).await;
    let stranger =
        Place { seeds: vec![first.address()], secret: b"another secret of them", ..Place::default() };
    let stranger = Listening::at(stranger).await;
    let seen = stranger.net.seen();
    let waiting = tokio::spawn(stranger.enter(Some(2)));
    let second = Listening::with_seeds(&[first.address()]).await;
    let (first, second) = tokio::join!(first.enter(Some(2)), second.enter(Some(2)));
    assert_eq!(first.cluster(), second.cluster());
    assert!(!waiting.is_finished());
    assert!(seen.borrow().is_empty());
    waiting.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_nodes_than_expected_found_one_cluster_all_the_same() {
    let first = Listening::with_seeds(&[]).await;
    let seeds = [first.address()];
    let mut listening = vec![first];
    for _ in 0..3 {
        listening.push(Listening::with_seeds(&seeds).await);
    }
    let entering: Vec<_> = listening.into_iter().map(|node| tokio::spawn(node.enter(Some(3)))).collect();
    let mut clusters = BTreeSet::new();
    let mut nodes = Vec::new();
    for entering in entering {
        let node = soon(entering).await.unwrap();
        clusters.insert(node.cluster());
        nodes.push(node);
    }
    assert_eq!(clusters.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_founding_was_interrupted_is_free_again() {
    let folder = tempfile::tempdir().unwrap();
    {
        let opened = Control::open(Some(folder.path().to_owned())).await.unwrap();
        let id = opened.node().0;
        let log = super::super::log::Log::new(Arc::clone(&opened.disk));
        let raft = super::super::raft::Raft::new(
            id,
            super::super::raft::config(false).unwrap(),
            super::super::peers::Peers(None),
            log,
            opened.machine,
        );
        let raft = raft.await.unwrap();
        let voters = BTreeMap::from([(id, openraft::BasicNode::new("127.0.0.1:1"))]);
        raft.initialize(voters).await.unwrap();
        raft.wait(Some(HANGS)).current_leader(id, "it leads").await.unwrap();
        raft.shutdown().await.unwrap();
    }
    let nodes = found(2).await;
    let again = Place { data_dir: Some(folder.path()), seeds: vec![nodes[1].address()], ..Place::default() };
    let again = Listening::at(again).await.enter(None).await;
    assert_eq!(again.cluster(), nodes[0].cluster());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_comes_late_is_given_a_snapshot() {
    let nodes = found(2).await;
    let id = nodes[0].leadership(|leadership| leadership.leader.is_some()).await.leader;
    let leader = nodes.iter().find(|node| Some(node.id()) == id).unwrap();
    leader.voters(2).await;
    for number in 0..3 {
        leader.create(&format!("m{number}")).await.unwrap();
    }
    // Long enough for more than one part.
    let features = (0..6_000).map(|number| format!("{number:0200}")).collect();
    leader.control.propose(model("m", b"", features)).await.unwrap();
    let raft = &leader.control.group.raft;
    raft.trigger().snapshot().await.unwrap();
    let wait = raft.wait(Some(HANGS));
    let built = wait.metrics(|metrics| metrics.snapshot.is_some(), "the snapshot is built").await.unwrap();
    raft.trigger().purge_log(built.snapshot.unwrap().index).await.unwrap();
    wait.purged(built.snapshot, "the log is purged").await.unwrap();

    let late = Listening::with_seeds(&[nodes[1].address()]).await.enter(None).await;
    assert_eq!(late.maps(), ["m0", "m1", "m2"]);
    assert!(late.control.catalogue().model("m").is_ok());
    assert_eq!(late.control.group.raft.metrics().borrow().snapshot, built.snapshot);
    late.create("m3").await.unwrap();
    late.voters(3).await;
}
