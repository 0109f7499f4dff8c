use tokio::sync::mpsc::unbounded_channel;

use super::{warnings::Warnings, *};
use crate::net::hello::Purpose;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_find_each_other_by_one_seed() {
    let one = Node::start(options(1, &[]));
    let two = Node::start(options(2, &[&one]));
    let three = Node::start(options(3, &[&one, &two]));
    for (node, other) in
        [(&one, &two), (&two, &one), (&one, &three), (&three, &one), (&three, &two), (&two, &three)]
    {
        let seen = node.sees(other.id).await;
        assert_eq!(seen.address, other.address());
        assert_eq!((seen.peer.incarnation, seen.peer.cluster), (Incarnation(0), 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_its_own_seed_says_nothing_of_it() {
    let mut address = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let one = Node::start(Options { seeds: vec![address.to_string()], listen: address, ..options(1, &[]) });
    address.set_port(0);
    let two = Node::start(options(2, &[&one]));
    one.sees(two.id).await;
    two.sees(one.id).await;
    for node in [&one, &two] {
        assert_eq!(node.refused("itself"), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_is_told_on_standing_connections() {
    let one = Node::start(options(1, &[]));
    let two = Node::start(options(2, &[&one]));
    one.sees(two.id).await;
    two.sees(one.id).await;
    let (sender, mut arrived) = unbounded_channel();
    one.net.receive(Lane::Control, move |from, _: (u16, u64)| sender.send(from).unwrap());
    two.net.introduce(Incarnation(4), CLUSTER);
    let mut seen = one.net.seen();
    let told = |seen: &Arc<BTreeMap<NodeId, super::super::Seen>>| {
        seen.get(&NodeId(2))
            .is_some_and(|seen| (seen.peer.incarnation, seen.peer.cluster) == (Incarnation(4), CLUSTER))
    };
    soon(seen.wait_for(told)).await.unwrap();
    // So is the side that reads.
    let incarnation = async {
        loop {
            two.opens(one.id, Lane::Control, &(0, 0)).await;
            let from = arrived.recv().await.unwrap();
            if from.incarnation == Incarnation(4) {
                return from.node;
            }
        }
    };
    assert_eq!(soon(incarnation).await, two.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_restarts_at_its_address_is_found_again() {
    let (one, two) = pair().await;
    let mut arrived = {
        let address = two.net.listening_at();
        two.net.shutdown().await;
        drop(two);
        one.misses(NodeId(2)).await;
        let again = Node::start_at(address, 2).await;
        let (sender, arrived) = unbounded_channel();
        again.net.receive(Lane::Data, move |_, message: (u16, u64)| sender.send(message).unwrap());
        again.list(&one);
        one.sees(again.id).await;
        again.sees(one.id).await;
        one.opens(again.id, Lane::Data, &(1, 2)).await;
        arrived
    };
    assert_eq!(soon(arrived.recv()).await, Some((1, 2)));
}

#[tokio::test]
async fn a_process_that_died_is_noticed_by_its_successor() {
    let mut warnings = Warnings::listen();
    let one = Node::start(options(1, &[]));
    let (address, runtime) = std::thread::spawn(|| {
        // A process of its own: when its runtime is dropped, it has said goodbye to nobody.
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let two = runtime.block_on(async { Node::start(options(2, &[])) });
        (two.net.listening_at(), (runtime, two))
    })
    .join()
    .unwrap();
    one.net.list(&BTreeMap::from([(NodeId(2), address.to_string())]));
    one.sees(NodeId(2)).await;
    let (runtime, two) = runtime;
    runtime.shutdown_background();
    drop(two);
    let again = Node::start_at(address, 2).await;
    // The new process resets the old one's connections: they need not be waited out.
    warnings.hear(vec![format!("no connection to node 2 at {address}: reset by peer")]).await;
    one.sees(again.id).await;
}

/// What leads to the process before it may take seconds to end by itself, if nothing can be sent there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_connects_is_where_its_node_is_sought() {
    let (one, two) = (Node::start(options(1, &[])), Node::start(options(2, &[])));
    one.list(&two);
    one.sees(two.id).await;
    let before = one.connection(two.id, Lane::Control);
    // The process before it lives on, and says nothing.
    let again = Node::start(options(2, &[]));
    again.list(&one);
    soon(before.closed()).await;
    soon(async {
        while one.reaches(again.id) != Some(again.net.listening_at()) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_at_a_members_address_is_not_taken_for_it() {
    let (one, two) = pair().await;
    let address = two.net.listening_at();
    two.net.shutdown().await;
    drop(two);
    let other = Node::start_at(address, 3).await;
    // Met, because it was dialled; known by its own name.
    assert_eq!(one.sees(other.id).await.peer.node, NodeId(3));
    one.misses(NodeId(2)).await;
    assert!(!one.net.send(NodeId(2), Lane::Data, 0, &0u64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_sought_in_vain_where_another_is_does_not_cost_that_one_its_connections() {
    let (one, two) = pair().await;
    let address = two.net.listening_at();
    two.net.shutdown().await;
    drop(two);
    let other = Node::start_at(address, 3).await;
    other.list(&one);
    one.list(&other);
    one.sees(other.id).await;
    let kept = one.connection(other.id, Lane::Control);
    let address = address.to_string();
    for _ in 0..3 {
        // As one goes on doing for as long as the one that is gone is a member.
        let sought = one.net.0.dial(&address, Some(NodeId(2)), Purpose::Lane(Lane::Control));
        let refusal = soon(sought).await.err().expect("it is another");
        assert_eq!(refusal.text, "node 3 answers where node 2 was expected");
    }
    assert_eq!(kept.close_reason(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_listed_no_more_keeps_control_alone() {
    let (one, two) = pair().await;
    one.opens(two.id, Lane::Data, &(0, 0)).await;
    one.net.list(&BTreeMap::new());
    let left = async {
        while one.net.send(two.id, Lane::Data, 0, &0u64) {
            tokio::task::yield_now().await;
        }
    };
    soon(left).await;
    one.sees(two.id).await;
    one.list(&two);
    one.opens(two.id, Lane::Data, &(0, 0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_leaves_nothing_behind() {
    let (one, two) = pair().await;
    let held = Arc::new(());
    let holding = Arc::clone(&held);
    two.net.receive(Lane::Data, move |_, (): ()| drop(Arc::clone(&holding)));
    let address = two.net.listening_at();
    soon(two.net.shutdown()).await;
    assert_eq!(Arc::strong_count(&held), 1);
    assert!(two.net.seen().borrow().is_empty());
    one.misses(two.id).await;
    drop(two);
    let bound = async {
        while std::net::UdpSocket::bind(address).is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon(bound).await;
}
