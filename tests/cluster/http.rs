//! HTTP and JSON, as curl would speak it.

use embergrid::{
    server::Server,
    wire::v1::{StatusRequest, admin_client::AdminClient},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
};
use tonic::{Code, transport::Channel};

use crate::node;

/// One request on a connection of its own: status and body.
pub(crate) async fn request(address: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_string())
}

pub(crate) async fn json_of(address: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
    let (status, body) = request(address, method, path, body).await;
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_put_read_and_deleted_as_json() {
    let node = node::start().await;
    node.payments().await;
    let path = "/v1/maps/payments/rows/7";

    let row = r#"{"amount": 12.5, "country": "DE"}"#;
    let (status, put) = json_of(&node.address, "POST", path, row).await;
    assert_eq!(
        (status, &put["key"], &put["old"], &put["scores"]),
        (200, &json!(7), &json!(null), &json!([]))
    );
    let (status, read) = json_of(&node.address, "GET", path, "").await;
    let row = json!({"amount": 12.5, "country": "DE", "attempts": null, "fraud": null});
    assert_eq!(status, 200);
    assert_eq!(read, json!({"key": 7, "version": put["version"], "row": row, "lineage": []}));

    let (status, missing) = json_of(&node.address, "GET", "/v1/maps/payments/rows/7?affinity=c-17", "").await;
    assert_eq!((status, &missing["class"]), (404, &json!("not_found")));
    let (status, removed) = json_of(&node.address, "DELETE", path, "").await;
    assert_eq!((status, removed), (200, json!({"key": 7, "old": row})));
    let (status, gone) = json_of(&node.address, "GET", path, "").await;
    assert_eq!(status, 404);
    assert_eq!(gone["error"], "the map `payments` has no row with the key 7");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_maps_values_are_base64() {
    let node = node::start().await;
    node.blobs().await;
    let (status, _) = request(&node.address, "POST", "/v1/maps/blobs/rows/a%2Fb", "\"AAH/\"").await;
    assert_eq!(status, 200);
    let (status, read) = json_of(&node.address, "GET", "/v1/maps/blobs/rows/a%2Fb", "").await;
    assert_eq!((status, &read["key"], &read["row"]), (200, &json!("a/b"), &json!("AAH/")));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_name_the_thing_and_what_to_do() {
    let node = node::start().await;
    node.payments().await;
    let path = "/v1/maps/payments/rows/7";
    let cases = [
        ("POST", "/v1/maps/paymnts/rows/7", "{}", 404, "not_found"),
        ("POST", "/v1/maps/payments/rows/seven", "{}", 400, "invalid"),
        ("POST", path, "{", 400, "invalid"),
        ("POST", path, "[1]", 400, "invalid"),
        ("POST", path, r#"{"amount": 1, "contry": "DE"}"#, 400, "invalid"),
        ("GET", "/v1/maps/payments/rows/7?afinity=x", "", 400, "invalid"),
        ("GET", "/v1/map", "", 404, "not_found"),
    ];
    for (method, path, body, code, class) in cases {
        let (status, answer) = json_of(&node.address, method, path, body).await;
        assert_eq!((status, &answer["class"]), (code, &json!(class)), "{method} {path} {body}");
        assert!(answer["error"].is_string());
    }
    let (_, answer) = json_of(&node.address, "POST", "/v1/maps/paymnts/rows/7", "{}").await;
    assert_eq!(answer["hint"], "did you mean `payments`?");
    let (_, answer) = json_of(&node.address, "POST", path, r#"{"amount": 1, "contry": "DE"}"#).await;
    assert_eq!(answer["hint"], "did you mean `country`?");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_tell_of_the_node() {
    let node = node::start().await;
    let map = node.payments().await;
    assert_eq!(request(&node.address, "GET", "/health/live", "").await.0, 200);
    assert_eq!(request(&node.address, "GET", "/health/ready", "").await.0, 200);
    assert_eq!(request(&node.address, "GET", "/health/safe-to-stop", "").await.0, 200);
    map.put_raw(1, map.pack(&json!({"amount": 1.0, "country": "DE"})).unwrap()).await.unwrap();
    let (status, answer) = json_of(&node.address, "GET", "/health/safe-to-stop", "").await;
    assert_eq!((status, &answer["reason"]), (503, &json!("1 rows are in the memory of this node alone")));
    let (status, text) = request(&node.address, "GET", "/metrics", "").await;
    assert_eq!(status, 200);
    assert!(text.contains("embergrid_map_rows{map=\"payments\"} 1"), "{text}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_has_not_started_says_so_until_it_has() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.address().unwrap().to_string();
    let (start, started) = oneshot::channel();
    let starting = tokio::spawn(async move { server.until_started(started).await });
    assert_eq!(request(&address, "GET", "/health/live", "").await.0, 200);
    let (status, ready) = json_of(&address, "GET", "/health/ready", "").await;
    assert_eq!((status, &ready["reason"]), (503, &json!("the node has not joined its cluster yet")));
    let (status, row) = json_of(&address, "GET", "/v1/maps/payments/rows/7", "").await;
    assert_eq!((status, &row["class"]), (503, &json!("unavailable")));
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let mut admin = AdminClient::new(channel);
    let refused = admin.status(StatusRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    start.send("started").unwrap();
    assert_eq!(starting.await.unwrap(), Ok("started"));
}
