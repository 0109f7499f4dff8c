//! Memory an entry takes beyond its key and value, at eight sizes across one doubling, beside Redis.
//!
//! It is what the process holds after so many entries, less what it held before, less keys and values. What the node keeps of
//! recent requests (the log that subscriptions resume from, the results that retries are answered with) is bounded and
//! does not grow with the map: it is listed apart.

mod harness;

use std::io::{Read, Write};
use std::net::TcpStream;
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
    let (node, redis) = (Server::node(), Server::redis());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let map = runtime.block_on(open(&node));
    let (node_empty, redis_empty) = (node.resident_bytes(), redis.resident_bytes());
    let mut report = Report::new("memory");
    let first = (1 << 19) / arguments.divisor;
    let mut loaded = 0;
    for step in 1..=8 {
        let entries = first + step * first / 8;
        runtime.block_on(fill(&map, loaded..entries));
        redis.fill(loaded..entries, &VALUE);
        loaded = entries;
        // What goes away by itself is gone by then.
        std::thread::sleep(Duration::from_secs(2));
        let recent = metric(&node, "embergrid_log_bytes") + metric(&node, "embergrid_result_bytes");
        let ours = beyond(node.resident_bytes().saturating_sub(recent), node_empty, entries);
        let rival = beyond(redis.resident_bytes(), redis_empty, entries);
        report.add(Cell::less_is_better(format!("{entries} entries / redis-server"), "bytes", ours, rival));
        eprintln!("  apart: log and results {} MiB", recent >> 20);
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

/// The sum of a metric over its labels, in bytes.
fn metric(node: &Server, name: &str) -> u64 {
    let mut stream = TcpStream::connect(("127.0.0.1", node.port)).expect("the node listens");
    let request = "GET /metrics HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("the node reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("the node answers");
    let of_name = text.lines().filter(|line| line.starts_with(name));
    of_name.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>() as u64
}
