//! `embergrid map query`

use clap::Args;

use crate::cli::{context::Context, failure::Result, shape};

/// Print the rows that match a predicate, one a line.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid map query screening --where \"malignant > 0.9\" --limit 5")]
pub(super) struct Query {
    /// The map's name.
    map: String,
    /// An SQL condition over the columns and `__key`.
    #[arg(long = "where", value_name = "EXPR")]
    predicate: String,
    /// Stop after this many rows.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

impl Query {
    pub(super) async fn run(self, context: &Context) -> Result {
        let map = context.map(&self.map).await?;
        let mut rows = map.query(&self.predicate, self.limit).await?;
        while let Some((key, row)) = rows.next().await? {
            let object = shape::stored(&key, &row, map.description().schema.is_none())?;
            context.output.answer(&object, format_args!("{key} {}", object["row"]))?;
        }
        Ok(())
    }
}
