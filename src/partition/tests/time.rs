//! Rule 24: only an entry hides a row.

use super::bench::*;
use crate::partition::{Op, Ttl};

const NOTHING: [&str; 0] = [];

fn set_ttl(tag: u64, key: &str, ms: Option<u64>) -> crate::partition::Request {
    op(tag, PLAIN, key, Op::SetTtl { ttl: ms.map(|ms| Ttl { ms }) })
}

#[test]
fn a_row_expires_by_an_entry() {
    let mut bench = Bench::new();
    assert_eq!(
        bench.request(put_ttl(1, "a", "x", 300)),
        ["reply 1 applied v2", "publish 2 [put none -> a=x@2 until +300]"]
    );
    assert_eq!(bench.core.next_deadline(), Some(300_000));
    assert_eq!(bench.tick(299_000), NOTHING);
    bench.now_us = 5_000_000;
    assert_eq!(bench.row(PLAIN, "a"), "a=x@2 until +300", "a read does not judge by the clock");
    assert_eq!(bench.tick(5_000_000), ["publish 3 [expire a=x@2 until +300 -> none]"]);
    assert_eq!(bench.row(PLAIN, "a"), "none");
    assert_eq!(bench.core.next_deadline(), None);
}

#[test]
fn the_clock_is_looked_at_often_enough() {
    let mut bench = Bench::new();
    bench.request(put_ttl(1, "a", "x", 3_600_000));
    assert_eq!(bench.core.next_deadline(), Some(500_000), "the time of day may jump");
}

#[test]
fn a_written_row_has_its_own_time() {
    let mut bench = Bench::new();
    bench.request(put_ttl(1, "a", "x", 300));
    bench.request(put(2, "a", "y"));
    assert_eq!(bench.tick(400_000), NOTHING);
    bench.request(put_ttl(3, "a", "z", 300));
    assert_eq!(bench.tick(600_000), NOTHING);
    assert_eq!(bench.tick(700_000), ["publish 5 [expire a=z@4 until +700 -> none]"]);
}

#[test]
fn set_ttl_changes_the_time_and_not_the_version() {
    let mut bench = Bench::new();
    assert_eq!(bench.request(set_ttl(1, "a", Some(9))), ["reply 1 not applied"]);
    bench.request(put(2, "a", "x"));
    assert_eq!(
        bench.request(set_ttl(3, "a", Some(300))),
        ["reply 3 applied v2", "publish 3 [ttl a=x@2 -> a=x@2 until +300]"]
    );
    assert_eq!(
        bench.request(set_ttl(4, "a", None)),
        ["reply 4 applied v2", "publish 4 [ttl a=x@2 until +300 -> a=x@2]"]
    );
    assert_eq!(bench.tick(300_000), NOTHING);
    bench.request(set_ttl(5, "a", Some(100)));
    assert_eq!(bench.tick(400_000), ["publish 6 [expire a=x@2 until +400 -> none]"]);
}

#[test]
fn a_busy_key_expires_after_its_write() {
    let mut bench = Bench::bound("");
    let mut request = card(1, "a", 1.0);
    if let Op::Put { ttl, .. } = &mut request.op {
        *ttl = Some(Ttl { ms: 10 });
    }
    bench.request(request);
    bench.scored(1, 0.1);
    bench.request(card(2, "a", 2.0));
    assert_eq!(bench.tick(20_000), NOTHING);
    bench.failed(2, crate::types::Error::invalid("no"));
    assert_eq!(bench.tick(69_000), NOTHING);
    assert_eq!(bench.tick(70_000), ["publish 4 [expire a=1/0.1/-@3 by 1:1 until +10 -> none]"]);
}

#[test]
fn partition_time_never_goes_back() {
    let mut bench = Bench::new();
    bench.now_us = 9_000_000;
    bench.request(put(1, "a", "x"));
    bench.now_us = 1_000_000;
    assert_eq!(
        bench.request(put_ttl(2, "a", "y", 1)),
        ["reply 2 applied v3", "publish 3 [put a=x@2 -> a=y@3 until +9001]"]
    );
}

#[test]
fn many_rows_expire_in_steps() {
    let mut bench = Bench::new();
    for number in 0..300 {
        bench.request(put_ttl(1, &number.to_string(), "x", 100));
    }
    assert_eq!(bench.tick(200_000).len(), 256);
    assert_eq!(bench.core.next_deadline(), Some(200_000));
    assert_eq!(bench.tick(200_000).len(), 44);
}
