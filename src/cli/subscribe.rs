//! `embergrid subscribe`

use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::time::sleep;

use super::{
    context::Context,
    failure::{Failure, Result},
    interrupt::Interrupt,
    shape,
};
use crate::{
    client::{self, Event, EventKind},
    types::{Error, Key},
};

/// Print a map's rows that match, then every change, one a line, in order and with no gap.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid subscribe screening --where \"malignant > 0.9\"")]
pub(super) struct Subscribe {
    /// The map's name.
    map: String,
    /// An SQL condition over the columns and `__key`; without it, every row.
    #[arg(long = "where", value_name = "EXPR")]
    predicate: Option<String>,
    /// Resume after this token, printed with every event.
    #[arg(long, value_name = "TOKEN")]
    from: Option<String>,
    /// Only changes from now on, no snapshot first.
    #[arg(long, conflicts_with = "from")]
    no_snapshot: bool,
    /// Stop after this many events of rows; markers are not counted.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Stop after this many seconds.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<f64>,
}

impl Subscribe {
    pub(super) async fn run(self, context: &Context) -> Result {
        let timeout = match self.timeout.map(Duration::try_from_secs_f64) {
            Some(Err(_)) => {
                return Err(Failure::Usage(Error::invalid("--timeout is a number of seconds, 0 or more")));
            }
            Some(Ok(timeout)) => timeout,
            None => Duration::MAX,
        };
        let mut interrupt = Interrupt::listen()?;
        let end = async {
            tokio::select! {
                () = interrupt.wait() => {}
                () = sleep(timeout) => {}
            }
        };
        // Being stopped is how a subscription ends: no failure.
        tokio::select! {
            done = self.print(context) => done,
            () = end => Ok(()),
        }
    }

    async fn print(&self, context: &Context) -> Result {
        let map = context.map(&self.map).await?;
        let is_plain = map.description().schema.is_none();
        let what = client::Subscribe {
            predicate: self.predicate.clone(),
            from: self.from.clone(),
            no_snapshot: self.no_snapshot,
            token_each: true,
        };
        let mut events = map.subscribe(what).await?;
        let mut left = self.limit.unwrap_or(u64::MAX);
        while left > 0 {
            let event = events.next().await?;
            left -= u64::from(event.key.is_some());
            print(context, &event, is_plain)?;
        }
        Ok(())
    }
}

fn print(context: &Context, event: &Event, is_plain: bool) -> Result {
    let row = shape::optional_row(event.row.as_ref(), is_plain)?;
    let name = event.kind.name();
    let text = match (&event.key, event.kind) {
        (Some(key), EventKind::Removed) => format!("{name} {key}"),
        (Some(key), _) => format!("{name} {key} {row}"),
        // A bookmark has news for programs alone.
        (None, EventKind::Bookmark) if !context.output.json() => return Ok(()),
        (None, EventKind::Overrun) => format!("{name}: changes were lost; the rows as they are now follow"),
        (None, _) => name.to_owned(),
    };
    let object = json!({
        "event": name,
        "key": event.key.as_ref().map(Key::payload),
        "partition": event.partition.0,
        "version": event.key.as_ref().map(|_| event.version.0),
        "row": row,
        "old": shape::optional_row(event.old.as_ref(), is_plain)?,
        "token": event.token,
    });
    Ok(context.output.answer(&object, text)?)
}
