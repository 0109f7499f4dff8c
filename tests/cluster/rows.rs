//! The SDK's verbs against a node.

use bytes::Bytes;
use embergrid::types::{Class, Key, KeyRef, RowVersion};
use serde::{Deserialize, Serialize};

use crate::node;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Payment {
    amount: f64,
    country: String,
    attempts: Option<i32>,
}

fn payment(amount: f64) -> Payment {
    Payment { amount, country: "DE".into(), attempts: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_is_read_until_it_is_removed() {
    let node = node::start().await;
    let map = node.payments().await;

    let first = map.put(7, &payment(12.5)).await.unwrap();
    assert!(first.applied && first.old.is_none() && first.scores.is_empty());
    assert_eq!(map.get(7).await.unwrap(), Some(payment(12.5)));
    assert_eq!(map.get::<Payment>(8).await.unwrap(), None);

    let second = map.put(7, &payment(13.0)).await.unwrap();
    assert!(second.version > first.version);
    let old = second.old.unwrap();
    assert_eq!((old.version, old.decode::<Payment>().unwrap()), (first.version, payment(12.5)));
    assert!(map.set(7, &payment(14.0)).await.unwrap().old.is_none());

    assert_eq!(map.size().await.unwrap(), 1);
    assert!(map.contains_key(7).await.unwrap());
    let removed = map.remove(7).await.unwrap().unwrap();
    assert_eq!(removed.decode::<Payment>().unwrap(), payment(14.0));
    assert!(map.remove(7).await.unwrap().is_none());
    assert!(!map.contains_key(7).await.unwrap());
    assert_eq!(map.size().await.unwrap(), 0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_decide_whether_a_put_takes_effect() {
    let node = node::start().await;
    let map = node.payments().await;

    assert!(!map.replace(1, &payment(1.0)).await.unwrap().applied);
    let first = map.put_if_absent(1, &payment(1.0)).await.unwrap();
    assert!(first.applied);
    let again = map.put_if_absent(1, &payment(2.0)).await.unwrap();
    assert!(!again.applied);
    assert_eq!(again.version, first.version);
    let replaced = map.replace(1, &payment(3.0)).await.unwrap();
    assert!(replaced.applied);

    let stale = map.replace_if(1, first.version, &payment(4.0)).await;
    assert_eq!(stale.unwrap_err().class, Class::Conflict);
    assert!(map.replace_if(1, replaced.version, &payment(4.0)).await.unwrap().applied);
    assert_eq!(map.get(1).await.unwrap(), Some(payment(4.0)));

    let stale = map.remove_if(1, RowVersion(u64::MAX)).await;
    assert_eq!(stale.unwrap_err().class, Class::Conflict);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_answered_row_by_row() {
    let node = node::start().await;
    let map = node.payments().await;

    // More than may be under way at once.
    let rows = (0..10_000_i64).map(|id| (id, payment(id as f64)));
    let puts = map.put_all(rows).await.unwrap();
    assert_eq!(puts.iter().filter(|put| put.as_ref().is_ok_and(|put| put.applied)).count(), 10_000);
    assert_eq!(map.size().await.unwrap(), 10_000);
    let read: Vec<Option<Payment>> = map.get_all([5, 10_001, 9_999]).await.unwrap();
    assert_eq!(read, [Some(payment(5.0)), None, Some(payment(9_999.0))]);

    let packed = map.pack(&payment(1.0)).unwrap();
    let mixed = map.put_all_raw([(1, packed.clone()), (2, Bytes::from_static(b"no row")), (3, packed)]).await;
    let classes: Vec<_> = mixed.unwrap().into_iter().map(|put| put.err().map(|error| error.class)).collect();
    assert_eq!(classes, [None, Some(Class::Invalid), None]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_share_a_connection() {
    let node = node::start().await;
    let map = node.payments().await;
    let callers = (0..50_i64).map(|caller| {
        let map = map.clone();
        tokio::spawn(async move {
            for round in 0..40_i64 {
                let key = caller * 1_000 + round;
                map.set(key, &payment(key as f64)).await.unwrap();
                assert_eq!(map.get(key).await.unwrap(), Some(payment(key as f64)));
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    assert_eq!(map.size().await.unwrap(), 2_000);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_runs_where_the_row_is() {
    let node = node::start().await;
    let map = node.payments().await;
    map.set(1, &payment(10.0)).await.unwrap();
    let row = map.execute_on_key(1, "SET amount = amount * 2, attempts = 3").await.unwrap();
    let updated = Payment { amount: 20.0, country: "DE".into(), attempts: Some(3) };
    assert_eq!(row.decode::<Payment>().unwrap(), updated);
    assert_eq!(map.get(1).await.unwrap(), Some(updated));
    assert_eq!(map.execute_on_key(2, "SET amount = 1").await.unwrap_err().class, Class::NotFound);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_gives_the_rows_that_satisfy_it() {
    let node = node::start().await;
    let map = node.payments().await;
    map.put_all((0..1_000_i64).map(|id| (id, payment(id as f64)))).await.unwrap();

    let found = map.query("amount >= 995 AND __key <> 997", None).await.unwrap().all().await.unwrap();
    let mut keys: Vec<Key> = found.into_iter().map(|(key, _)| key).collect();
    keys.sort();
    assert_eq!(keys, [995, 996, 998, 999].map(Key::from));
    assert_eq!(map.query("", Some(7)).await.unwrap().all().await.unwrap().len(), 7);
    assert_eq!(map.query("", None).await.unwrap().all().await.unwrap().len(), 1_000);

    let error = map.query("amout > 3", None).await.unwrap_err();
    assert_eq!(error.class, Class::Invalid);
    assert_eq!(error.hint.as_deref(), Some("did you mean `amount`?"));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_map_holds_bytes_under_keys_of_every_kind() {
    let node = node::start().await;
    let map = node.blobs().await;
    let keys = [
        Key::from(1),
        Key::new(KeyRef::Str("1"), None).unwrap(),
        Key::new(KeyRef::Bytes(b"1"), None).unwrap(),
        Key::new(KeyRef::Str("1"), Some(b"c-17")).unwrap(),
    ];
    for (index, key) in keys.iter().enumerate() {
        map.put_raw(key, vec![index as u8; 100].into()).await.unwrap();
    }
    assert_eq!(map.size().await.unwrap(), 4);
    for (index, key) in keys.iter().enumerate() {
        assert_eq!(map.get_raw(key).await.unwrap().unwrap().bytes(), &vec![index as u8; 100]);
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_grew_is_taken_up_by_clients_that_knew_the_old_one() {
    let node = node::start().await;
    let map = node.payments().await;
    map.set(1, &payment(1.0)).await.unwrap();
    let grown = node::PAYMENTS.replace(
        "{ name = \"attempts\"",
        "{ name = \"device\", type = \"str\", nullable = true },\n  { name = \"attempts\"",
    );
    node.client().await.create_map("payments", Some(&grown)).await.unwrap();

    map.set(2, &payment(2.0)).await.unwrap();
    assert_eq!(map.get_all([1, 2]).await.unwrap(), [Some(payment(1.0)), Some(payment(2.0))]);
    node.stop().await;
}
