//! `embergrid bench get`

use std::ops::Range;

use clap::Args;

use super::{
    drive::{Answer, Work},
    load::Load,
    measure, plain,
};
use crate::{
    cli::{context::Context, failure::Result},
    client::{Map, Row},
    types::{self, Error},
};

/// Read the values of the plain map `bench`; what is missing is written first.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid bench get --callers 50 --requests 1000000 --batch 16")]
pub(super) struct Get {
    /// Bytes a value, where it is written first.
    #[arg(long, value_name = "BYTES", default_value_t = 128)]
    value_size: usize,
    #[command(flatten)]
    pub(super) load: Load,
}

impl Get {
    pub(super) async fn run(self, context: &Context) -> Result {
        let value = plain::value(self.value_size)?;
        let map = plain::open(context, &self.load).await?;
        let keys = plain::keys(&self.load);
        plain::fill(&map, keys, &value).await?;
        measure(context, &self.load, Reads { map, keys }).await
    }
}

struct Reads {
    map: Map,
    keys: u64,
}

impl Work for Reads {
    async fn call(&self, rows: Range<u64>) -> Answer {
        let key = |row: u64| (row % self.keys) as i64;
        let asked = rows.end - rows.start;
        if asked == 1 {
            return Answer::of(self.map.get_raw(key(rows.start)).await.and_then(there));
        }
        let read = self.map.get_all_raw(rows.map(key)).await;
        Answer::of_all(asked, read.map(|rows| rows.into_iter().map(|row| row.and_then(there)).collect()))
    }
}

/// A row that is not there was lost: it has been written.
fn there(row: Option<Row>) -> types::Result<Row> {
    row.ok_or_else(|| {
        Error::not_found("a value that was written is not there").hint("was the map dropped meanwhile?")
    })
}
