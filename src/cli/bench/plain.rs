//! The plain map that `bench set` writes and `bench get` reads.

use bytes::Bytes;

use super::load::Load;
use crate::{
    cli::{context::Context, failure::Result},
    client::Map,
    types::Error,
};

/// The map's name.
pub(super) const MAP: &str = "bench";
/// The most keys of a run: more rows than this write them again.
const MOST_KEYS: u64 = 1_000_000;
/// Rows written together before the measurement.
const BATCH: u64 = 2048;

/// The longest value, in bytes.
const MOST_BYTES: usize = crate::row::MAX_ROW_BYTES;

/// Opens the map, creating it where it is missing.
pub(super) async fn open(context: &Context, load: &Load) -> Result<Map> {
    let client = context.connect_by(load.connections).await?;
    client.create_map(MAP, None).await?;
    Ok(client.map(MAP).await?)
}

/// How many different keys a run has.
pub(super) fn keys(load: &Load) -> u64 {
    load.requests.min(MOST_KEYS)
}

/// A value of `bytes` bytes that does not compress to nothing.
pub(super) fn value(bytes: usize) -> Result<Bytes> {
    if bytes > MOST_BYTES {
        return Err(
            Error::invalid(format!("--value-size {bytes} is more than the limit of {MOST_BYTES}")).into()
        );
    }
    Ok((0..bytes).map(|at| (at * 37 + 11) as u8).collect::<Vec<_>>().into())
}

/// Writes every key that a run reads; not measured.
pub(super) async fn fill(map: &Map, keys: u64, value: &Bytes) -> Result {
    if map.size().await? >= keys {
        return Ok(());
    }
    for first in (0..keys).step_by(BATCH as usize) {
        let batch = (first..keys.min(first + BATCH)).map(|key| (key as i64, value.clone()));
        for put in map.put_all_raw(batch).await? {
            put?;
        }
    }
    Ok(())
}
