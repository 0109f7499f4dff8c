//! `embergrid bench set`

use std::ops::Range;

use bytes::Bytes;
use clap::Args;

use super::{
    drive::{Answer, Work},
    load::Load,
    measure, plain,
};
use crate::{
    cli::{context::Context, failure::Result},
    client::Map,
};

/// Write opaque values to the plain map `bench`, which is created if it is missing and stays.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid bench set --callers 50 --requests 1000000 --value-size 128")]
pub(super) struct Set {
    /// Bytes a value.
    #[arg(long, value_name = "BYTES", default_value_t = 128)]
    value_size: usize,
    #[command(flatten)]
    pub(super) load: Load,
}

impl Set {
    pub(super) async fn run(self, context: &Context) -> Result {
        let value = plain::value(self.value_size)?;
        let map = plain::open(context, &self.load).await?;
        measure(context, &self.load, Writes { map, value, keys: plain::keys(&self.load) }).await
    }
}

struct Writes {
    map: Map,
    value: Bytes,
    keys: u64,
}

impl Work for Writes {
    async fn call(&self, rows: Range<u64>) -> Answer {
        let key = |row: u64| (row % self.keys) as i64;
        let asked = rows.end - rows.start;
        if asked == 1 {
            return Answer::of(self.map.set_raw(key(rows.start), self.value.clone()).await);
        }
        let entries = rows.map(|row| (key(row), self.value.clone()));
        Answer::of_all(asked, self.map.put_all_raw(entries).await)
    }
}
