//! Models that one node has and another wants.

use bytes::Bytes;

use super::*;
use crate::types::{Class, Digest};

fn version(bytes: &Bytes) -> Command {
    model("m", bytes, vec!["a".into()])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_is_fetched_from_whoever_has_it_and_kept() {
    let nodes = found(3).await;
    let (has, wants) = (&nodes[0], &nodes[1]);
    // More than one part of it.
    let bytes: Bytes = (0..9u32 << 20).map(|at| (at % 251) as u8).collect::<Vec<u8>>().into();
    let digest = has.control.blobs().put(bytes.clone()).await.unwrap();
    let unknown = wants.control.fetch(digest).await.unwrap_err();
    assert_eq!(unknown.class, Class::NotFound);

    // The connection for what is large may come after the others.
    let fetched = async {
        loop {
            match wants.control.fetch_sized(digest, bytes.len() as u64).await {
                Ok(fetched) => return fetched,
                Err(error) if error.class == Class::Unavailable || error.class == Class::NotFound => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    };
    assert_eq!(soon(fetched).await, bytes);
    assert_eq!(wants.control.blobs().read(digest).await, Ok(Some(bytes.clone())));

    wants.control.propose(version(&bytes)).await.unwrap();
    assert_eq!(soon(wants.control.fetch(digest)).await, Ok(bytes));
    let absent = wants.control.fetch_sized(Digest::of(b"absent"), 6).await.unwrap_err();
    assert_eq!(absent.class, Class::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_size_that_differs_is_refused_before_anything_is_kept() {
    let nodes = found(2).await;
    let digest = nodes[0].control.blobs().put(Bytes::from_static(b"model")).await.unwrap();
    let refused = async {
        loop {
            match nodes[1].control.fetch_sized(digest, 4).await {
                Err(error) if error.class == Class::Unavailable => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                outcome => return outcome.unwrap_err(),
            }
        }
    };
    assert_eq!(soon(refused).await.class, Class::Internal);
    assert_eq!(nodes[1].control.blobs().read(digest).await, Ok(None));
}
