//! `embergrid bench score`

use std::{ops::Range, path::PathBuf};

use bytes::Bytes;
use clap::Args;

use super::{
    drive::{Answer, Work},
    load::Load,
    measure,
};
use crate::{
    cli::{
        context::Context,
        failure::Result,
        rows::{self, Format, Shape},
    },
    client::{Map, Put},
    types::{self, Error, Key},
};

/// Write rows of a file to a bound map, each scored before it is acknowledged.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  embergrid bench score --map payments --rows payments.csv --key id --requests 100000 --batch 64"
)]
pub(super) struct Score {
    /// The bound map.
    #[arg(long)]
    map: String,
    /// The rows (CSV or JSONL), written over and over.
    #[arg(long, value_name = "FILE")]
    rows: PathBuf,
    /// The column that is the key.
    #[arg(long, value_name = "COLUMN")]
    key: String,
    /// Columns of the file that the map does not have.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    ignore_columns: Vec<String>,
    #[command(flatten)]
    pub(super) load: Load,
}

impl Score {
    pub(super) async fn run(self, context: &Context) -> Result {
        let map = context.connect_by(self.load.connections).await?.map(&self.map).await?;
        let description = map.description();
        if description.bindings.is_empty() {
            return Err(Error::invalid(format!(
                "the map {} has no binding: nothing would be scored",
                self.map
            ))
            .hint("apply one: `embergrid binding apply FILE`")
            .into());
        }
        let shape = Shape {
            schema: description.require_schema()?.clone(),
            key: self.key,
            key_kind: description.key_kind,
            ignored: self.ignore_columns,
        };
        let lines = rows::read_path(&self.rows, Format::of(&self.rows)?, &shape)?;
        let rows = lines.map(|line| line.map(|line| (line.key, Bytes::from(line.row))));
        let rows: Vec<_> = rows.collect::<types::Result<_>>()?;
        if rows.is_empty() {
            return Err(Error::invalid(format!("{}: there are no rows in it", self.rows.display())).into());
        }
        measure(context, &self.load, Scores { map, rows }).await
    }
}

struct Scores {
    map: Map,
    rows: Vec<(Key, Bytes)>,
}

impl Work for Scores {
    async fn call(&self, rows: Range<u64>) -> Answer {
        let asked = rows.end - rows.start;
        let row = |row: u64| &self.rows[(row % self.rows.len() as u64) as usize];
        if asked == 1 {
            let (key, value) = row(rows.start);
            return Answer::of(self.map.set_raw(key, value.clone()).await.and_then(scored));
        }
        let written = self.map.put_all_raw(rows.map(row).map(|(key, value)| (key, value.clone()))).await;
        Answer::of_all(asked, written.map(|puts| puts.into_iter().map(|put| put.and_then(scored)).collect()))
    }
}

/// A row without a score is not what is measured here.
fn scored(put: Put) -> types::Result<Put> {
    if put.scores.is_empty() {
        return Err(Error::conflict("a row was stored without a score").hint("is the binding `sync`?"));
    }
    Ok(put)
}
