use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::*;
use crate::{
    net::{Call, Peer},
    types::{Class, Error, Result},
};

#[derive(Debug, Serialize, Deserialize)]
struct Repeat {
    text: String,
    times: usize,
}

impl Call for Repeat {
    const NAME: &'static str = "test.repeat";
    type Answer = String;
}

#[derive(Debug, Serialize, Deserialize)]
struct Fetch(usize);

impl Call for Fetch {
    const NAME: &'static str = "test.fetch";
    const LANE: Lane = Lane::Bulk;
    type Answer = String;
}

async fn repeat(from: Peer, request: Repeat) -> Result<String> {
    match request.times {
        0 => Err(Error::conflict(format!("nothing to repeat for node {}", from.node)).hint("ask for more")),
        times => Ok(request.text.repeat(times)),
    }
}

fn request(text: &str, times: usize) -> Repeat {
    Repeat { text: text.to_owned(), times }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_comes_back_with_its_answer() {
    let (one, two) = pair().await;
    two.net.answer(repeat);
    let answer = one.net.call(two.id, &request("ab", 3), HANGS).await;
    assert_eq!(answer, Ok("ababab".to_owned()));
    let refused = one.net.call(two.id, &request("ab", 0), HANGS).await;
    assert_eq!(refused, Err(Error::conflict("nothing to repeat for node 1").hint("ask for more")));
    // The other direction has its own connection, and its own handlers.
    let nobody = two.net.call(one.id, &request("ab", 1), HANGS).await;
    assert_eq!(nobody, Err(Error::unavailable("nobody answers `test.repeat` here yet")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_are_under_way_at_once() {
    let (one, two) = pair().await;
    two.net.answer(repeat);
    let calls = (0..600).map(|number| {
        let (net, to) = (one.net.clone(), two.id);
        tokio::spawn(async move { net.call(to, &request(&number.to_string(), 2), HANGS).await })
    });
    for (number, call) in calls.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(soon(call).await.unwrap(), Ok(number.to_string().repeat(2)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_calls_pass_and_larger_ones_are_refused() {
    let (one, two) = pair().await;
    two.net.answer(repeat);
    two.net.answer(async |_, fetch: Fetch| Ok("x".repeat(fetch.0)));
    let large = "y".repeat(15 << 20);
    assert_eq!(soon(one.net.call(two.id, &request(&large, 1), HANGS)).await, Ok(large));
    let too_large = "y".repeat(17 << 20);
    let refused = one.net.call(two.id, &request(&too_large, 1), HANGS).await.unwrap_err();
    assert_eq!(refused.class, Class::Invalid);
    let refused = one.net.call(two.id, &request("y", 17 << 20), HANGS).await.unwrap_err();
    assert!(refused.message.ends_with("where 16777216 are the most"), "{}", refused.message);
    // The bulk lane opens by itself, maybe after the control lane.
    let fetched = async {
        loop {
            match one.net.call(two.id, &Fetch(40 << 20), HANGS).await {
                Err(error) if error.message == "node 2 is not connected" => tokio::task::yield_now().await,
                answer => return answer.map(|text| text.len()),
            }
        }
    };
    assert_eq!(soon(fetched).await, Ok(40 << 20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_ends_at_its_deadline_on_both_sides() {
    let (one, two) = pair().await;
    let dropped = Arc::new(Notify::new());
    let guard = Arc::clone(&dropped);
    two.net.answer(move |_, _: Repeat| {
        let guard = OnDrop(Arc::clone(&guard));
        async move {
            let _guard = guard;
            std::future::pending().await
        }
    });
    let late = one.net.call(two.id, &request("a", 1), Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(late.class, Class::Deadline);
    assert_eq!(late.message, "node 2 did not answer `test.repeat` within 50ms");
    soon(dropped.notified()).await;
}

struct OnDrop(Arc<Notify>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_ends_with_its_connection() {
    let (one, two) = pair().await;
    let arrived = Arc::new(Notify::new());
    let arriving = Arc::clone(&arrived);
    two.net.answer(move |_, _: Repeat| {
        arriving.notify_one();
        std::future::pending()
    });
    let net = one.net.clone();
    let call = tokio::spawn(async move { net.call(NodeId(2), &request("a", 1), HANGS).await });
    soon(arrived.notified()).await;
    two.net.shutdown().await;
    assert_eq!(soon(call).await.unwrap().unwrap_err().class, Class::Unavailable);
    one.misses(two.id).await;
    let refused = one.net.call(two.id, &request("a", 1), HANGS).await.unwrap_err();
    assert_eq!(refused.message, "node 2 is not connected");
}
