use std::{collections::HashMap, thread};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;

/// What arrives at a node on a lane.
fn arrivals(node: &Node, lane: Lane) -> UnboundedReceiver<(NodeId, u16, u64)> {
    let (sender, receiver) = unbounded_channel();
    node.net.receive(lane, move |from, (key, number): (u16, u64)| {
        // The test may have ended.
        let _ = sender.send((from.node, key, number));
    });
    receiver
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_lane_carries_messages_of_its_own() {
    let (one, two) = pair().await;
    for lane in Lane::ALL {
        let mut arrived = arrivals(&two, lane);
        one.opens(two.id, lane, &(3, 9)).await;
        assert_eq!(soon(arrived.recv()).await, Some((one.id, 3, 9)));
    }
}

const KEYS: u16 = 24;
const MESSAGES: u64 = 20_000;

/// Sends messages of all keys from three threads, as fast as there is room for them.
fn send_load(from: &Node, to: NodeId) -> Vec<thread::JoinHandle<()>> {
    let worker = |worker| {
        let net = from.net.clone();
        move || {
            for number in 0..MESSAGES {
                for key in (0..KEYS).filter(|key| key % 3 == worker) {
                    while !net.send(to, Lane::Data, key, &(key, number)) {
                        thread::yield_now();
                    }
                }
            }
        }
    };
    (0..3).map(worker).map(thread::spawn).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_stays_in_order_under_load() {
    // A machine that stands still for seconds loses the connection, and with it messages: then it is done over.
    while !stays_in_order().await {}
}

/// False if the connection did not last.
async fn stays_in_order() -> bool {
    let (one, two) = pair().await;
    let mut arrived = arrivals(&two, Lane::Data);
    one.opens(two.id, Lane::Data, &(KEYS, 0)).await;
    let connection = one.connection(two.id, Lane::Data);
    let workers = send_load(&one, two.id);
    let mut next: HashMap<u16, u64> = HashMap::new();
    let total = u64::from(KEYS) * MESSAGES + 1;
    for _ in 0..total {
        let (_, key, number) = tokio::select! {
            arrived = arrived.recv() => arrived.unwrap(),
            _ = connection.closed() => break,
        };
        let next = next.entry(key).or_default();
        if connection.close_reason().is_none() {
            assert_eq!(number, *next, "key {key}");
        }
        *next += 1;
    }
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    if connection.close_reason().is_some() {
        return false;
    }
    assert_eq!(one.metrics.lane("data").messages_sent.value(), total);
    assert_eq!(two.metrics.lane("data").messages_received.value(), total);
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_messages_arrive_whole_and_longer_ones_are_dropped() {
    let (one, two) = pair().await;
    let (sender, mut arrived) = unbounded_channel();
    two.net.receive(Lane::Bulk, move |_, text: String| sender.send(text.len()).unwrap());
    let sent = async {
        let long = "z".repeat(60 << 20);
        while !one.net.send(two.id, Lane::Bulk, 0, &long) {
            tokio::task::yield_now().await;
        }
    };
    soon(sent).await;
    assert_eq!(soon(arrived.recv()).await, Some(60 << 20));
    let before = one.metrics.lane("data").dropped.value();
    assert!(!one.net.send(two.id, Lane::Data, 0, &"z".repeat(17 << 20)));
    assert_eq!(one.metrics.lane("data").dropped.value(), before + 1);
}

#[tokio::test]
async fn what_finds_nobody_is_dropped_and_counted() {
    let one = Node::start(options(1, &[]));
    assert!(!one.net.send(NodeId(9), Lane::Data, 0, &(0u16, 0u64)));
    assert_eq!(one.metrics.lane("data").dropped.value(), 1);
    // Listed, and not reached: the port is one that nobody listens at.
    one.net.list(&BTreeMap::from([(NodeId(9), "127.0.0.1:9".to_owned())]));
    assert!(!one.net.send(NodeId(9), Lane::Data, 0, &(0u16, 0u64)));
    assert_eq!(one.metrics.lane("data").dropped.value(), 2);
}
