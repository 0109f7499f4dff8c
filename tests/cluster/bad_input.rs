//! What a client must not send: refused with a name and a hint, and nothing half-done.

use bytes::Bytes;
use embergrid::{
    row::{Builder, Column, Kind, Scalar, Schema, Writer},
    types::{Class, SchemaId},
};
use serde_json::json;

use crate::node;

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_do_not_fit_are_refused_by_the_sdk_before_they_leave() {
    let node = node::start().await;
    let map = node.payments().await;
    let cases = [
        (json!({"amount": 1.0}), "`country`", None),
        (json!({"amount": 1.0, "country": "DE", "amout": 2.0}), "`amout`", Some("did you mean `amount`?")),
        (json!({"amount": "much", "country": "DE"}), "`amount`", None),
        (json!({"amount": -1.0, "country": "DE"}), "`amount`", None),
        (json!({"amount": 1.0, "country": "DE", "fraud": 0.5}), "`fraud`", None),
    ];
    for (row, named, hint) in cases {
        let error = map.put(1, &row).await.unwrap_err();
        assert_eq!(error.class, Class::Invalid, "{row}");
        assert!(error.message.contains(named), "{}", error.message);
        if hint.is_some() {
            assert_eq!(error.hint.as_deref(), hint);
        }
    }
    assert_eq!(map.size().await.unwrap(), 0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_believes_no_packed_row() {
    let node = node::start().await;
    let map = node.payments().await;
    let schema = map.description().schema.clone().unwrap();
    let good = map.pack(&json!({"amount": 1.0, "country": "DE"})).unwrap();

    let mut scored = Builder::of(&schema, Writer::Grid);
    scored.set_named("amount", Scalar::F64(1.0)).unwrap();
    scored.set_named("country", Scalar::Str("DE")).unwrap();
    scored.set_named("fraud", Scalar::F32(0.1)).unwrap();
    let scored = scored.finish().unwrap();

    // The same bytes with the sign of the amount turned: out of range.
    let amount = 1.0_f64.to_le_bytes();
    let at = good.windows(8).position(|bytes| bytes == amount).unwrap();
    let mut negative = good.to_vec();
    negative[at + 7] ^= 0x80;

    let other = Schema::new(SchemaId(77), vec![Column::new("amount", Kind::F64)]).unwrap();
    let mut other = Builder::new(&other);
    other.set(0, Scalar::F64(1.0)).unwrap();

    let cases = [
        ("a score", scored, "`fraud`"),
        ("out of range", negative, "`amount`"),
        ("another schema", other.finish().unwrap(), "schema 77"),
        ("cut off", good[..good.len() - 1].to_vec(), "row"),
        ("empty", Vec::new(), "row"),
        ("random", vec![0xa5; 64], "schema"),
    ];
    for (what, bytes, named) in cases {
        let error = map.put_raw(1, bytes.into()).await.unwrap_err();
        assert_eq!(error.class, Class::Invalid, "{what}: {error}");
        assert!(error.message.contains(named), "{what}: {error}");
    }
    assert_eq!(map.size().await.unwrap(), 0);
    map.put_raw(1, good).await.unwrap();
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_of_the_maps_kind_and_not_too_long() {
    let node = node::start().await;
    let payments = node.payments().await;
    let row = payments.pack(&json!({"amount": 1.0, "country": "DE"})).unwrap();
    let error = payments.put_raw("seven", row).await.unwrap_err();
    assert_eq!(error.message, "the key seven is of type str");
    assert_eq!(error.hint.as_deref(), Some("the keys of the map `payments` are of type i64"));

    let blobs = node.blobs().await;
    let error = blobs.put_raw("x".repeat(2_000).as_str(), Bytes::new()).await.unwrap_err();
    assert_eq!(error.message, "the key has 2001 bytes, more than the limit of 1024");
    let error = blobs.put_raw("x", vec![0; (1 << 20) + 1].into()).await.unwrap_err();
    assert_eq!(error.message, "the value has 1048577 bytes, more than the limit of 1048576");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_that_is_not_there_is_named_with_its_nearest() {
    let node = node::start().await;
    let map = node.payments().await;
    let client = node.client().await;
    let error = client.map("paymnts").await.unwrap_err();
    assert_eq!((error.class, error.hint.as_deref()), (Class::NotFound, Some("did you mean `payments`?")));

    let different = node::PAYMENTS.replace("\"country\", type = \"str\"", "\"country\", type = \"i64\"");
    assert_eq!(client.create_map("payments", Some(&different)).await.unwrap_err().class, Class::Conflict);
    let error = client.create_map("other", Some(node::PAYMENTS)).await.unwrap_err();
    assert_eq!(error.message, "the schema is of the map `payments`, not `other`");

    client.drop_map("payments").await.unwrap();
    let error = map.put_raw(1, Bytes::new()).await.unwrap_err();
    assert_eq!(error.class, Class::NotFound);
    node.stop().await;
}
