//! What must not get between a subscriber and the changes.

use super::{
    lent,
    queue::Item,
    remote::{Change, Opening, What},
};
use crate::{
    feed::{Message, Start},
    node::{
        Grid,
        tests::{plain_map, put},
    },
    types::{Class, Epoch, Generation, Key, NodeId, PartitionId, Position, Seq},
};

/// The node on whose behalf the feed is read.
const READER: NodeId = NodeId(9);

fn open(grid: &Grid, what: &What, partition: PartitionId, start: Start) {
    let opens = vec![Opening { partition, start, credits: 100 }];
    let change = Change { what: what.clone(), opens, credits: Vec::new(), is_over: false };
    lent::change(grid, READER, change).unwrap();
}

/// The next changes of some interest: what they follow, and the values that they bring.
async fn changes(grid: &Grid, what: &What) -> (Position, Vec<Vec<u8>>) {
    loop {
        for (_, item) in lent::poll(grid.clone(), READER, what.subscriber).await.unwrap() {
            if let Item::Message(Message::Changes { after, events, .. }) = item
                && !events.is_empty()
            {
                return (after, events.iter().map(|event| event.row.value().to_vec()).collect());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_reading_left_unread_does_not_come_before_what_its_successor_is_told() {
    let (node, grid, map) = plain_map().await;
    let partition = grid.partition_of(&Key::from(1));
    let subscription = grid.subscribe("m", None, None, false).unwrap();

    let first = subscription.reading();
    open(&grid, &first, partition, Start::Now);
    grid.call(put(map, 1, "one")).await.unwrap();
    // This answer is lost on its way, and another change comes before the reader has noticed.
    let (start, lost) = changes(&grid, &first).await;
    assert_eq!(lost, [b"one"]);
    grid.call(put(map, 1, "two")).await.unwrap();

    let second = subscription.reading();
    open(&grid, &second, partition, Start::After(start));
    let (after, mut told) = changes(&grid, &second).await;
    assert_eq!(after, start);
    while told.len() < 2 {
        told.extend(changes(&grid, &second).await.1);
    }
    assert_eq!(told, [b"one", b"two"]);
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_that_do_not_follow_what_was_told_end_a_subscription_with_an_error() {
    let (node, grid, map) = plain_map().await;
    let partition = grid.partition_of(&Key::from(1));
    let mut subscription = grid.subscribe("m", None, None, false).unwrap();
    grid.call(put(map, 1, "one")).await.unwrap();
    while subscription.token.positions[usize::from(partition.0)] == Position::default() {
        subscription.next().await.unwrap();
    }
    let later = |seq| Position { generation: Generation(1), epoch: Epoch(9), seq: Seq(seq) };
    let gap = Message::Changes { after: later(70), upto: later(80), events: Vec::new() };
    subscription.queue.push(partition, Item::Message(gap));
    let error = loop {
        match subscription.next().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.class, Class::Internal);
    assert!(error.message.contains("after 1.9.70 came"), "{}", error.message);
    node.shutdown().await;
}
