//! Memory an entry takes beyond its key and value, at eight sizes across one doubling, beside Redis.
//!
//! It is what the process holds after so many entries, less what it held before, less keys and values. What a node keeps of
//! recent changes, for subscriptions that resume, is bounded and does not grow with the map: it is measured apart, by a
//! second node with the default settings.

mod harness;

use std::time::Duration;

use bytes::Bytes;
use embergrid::client::{Client, Map};

use harness::{Arguments, Cell, Report, Server, key};

const VALUE: [u8; 128] = [b'x'; 128];
const KEY_BYTES: u64 = 16;
/// Entries written by one call.
const BATCH: u64 = 1024;

fn main() {
    let arguments = Arguments::read();
    let (node, redis) =
        (Server::node_with(&[("EMBERGRID_PARTITION__RETAINED_ENTRIES", "1")]), Server::redis());
    let by_default = Server::node();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let [map, map_by_default] = [&node, &by_default].map(|node| runtime.block_on(open(node)));
    let [empty, empty_by_default, redis_empty] = [&node, &by_default, &redis].map(Server::resident_bytes);
    let mut report = Report::new("memory");
    let first = (1 << 19) / arguments.divisor;
    let mut loaded = 0;
    for step in 1..=8 {
        let entries = first + step * first / 8;
        runtime.block_on(fill(&map, loaded..entries));
        runtime.block_on(fill(&map_by_default, loaded..entries));
        redis.fill(loaded..entries, &VALUE);
        loaded = entries;
        // What goes away by itself is gone by then.
        std::thread::sleep(Duration::from_secs(2));
        let ours = beyond(node.resident_bytes(), empty, entries);
        let rival = beyond(redis.resident_bytes(), redis_empty, entries);
        report.add(Cell::less_is_better(format!("{entries} entries / redis-server"), "bytes", ours, rival));
        let with_log = beyond(by_default.resident_bytes(), empty_by_default, entries);
        eprintln!(
            "  apart: the log, {:.0} MiB in all",
            (with_log - ours) * entries as f64 / f64::from(1 << 20)
        );
    }
    report.print(arguments.json);
}

fn beyond(resident: u64, empty: u64, entries: u64) -> f64 {
    let content = entries * (KEY_BYTES + VALUE.len() as u64);
    (resident as f64 - empty as f64 - content as f64) / entries as f64
}

async fn open(node: &Server) -> Map {
    let client = Client::connect(format!("127.0.0.1:{}", node.port)).await.expect("the node answers");
    client.create_map("memory", None).await.expect("a plain map");
    client.map("memory").await.expect("just created")
}

async fn fill(map: &Map, mut numbers: std::ops::Range<u64>) {
    while !numbers.is_empty() {
        let batch: Vec<_> = numbers.by_ref().take(BATCH as usize).collect();
        let entries = batch.iter().map(|number| (key(*number), Bytes::from_static(&VALUE)));
        for put in map.put_all_raw(entries).await.expect("the node answers") {
            put.expect("stored");
        }
    }
}
