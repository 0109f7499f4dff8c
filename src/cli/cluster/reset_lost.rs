//! `embergrid cluster reset-lost`

use clap::Args;
use serde_json::json;

use crate::{
    cli::{context::Context, failure::Result},
    types::Error,
};

/// Give up the rows of lost partitions: they begin anew, empty.
///
/// A partition is lost when every node that had its rows has restarted. Until it is reset it answers every access with an
/// error. Maps, models and bindings are kept; all maps share the partitions, so each loses the rows that were there.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid cluster reset-lost --yes")]
pub(super) struct ResetLost {
    /// Only if this is the only map: partitions are shared, so no map can be reset alone.
    #[arg(long, value_name = "MAP")]
    map: Option<String>,
    /// Also give up partitions whose nodes are silent; what those bring back later is discarded.
    #[arg(long)]
    unavailable: bool,
    /// Confirms that the rows are to be given up.
    #[arg(long)]
    yes: bool,
}

impl ResetLost {
    pub(super) async fn run(self, context: &Context) -> Result {
        if !self.yes {
            return Err(Error::invalid("resetting lost partitions gives their rows up for good")
                .hint("add --yes if that is what you want")
                .into());
        }
        let client = context.connect().await?;
        if let Some(map) = &self.map {
            client.map(map).await?;
            let others = client.maps().await?.into_iter().filter(|other| other.name != *map).count();
            if others > 0 {
                return Err(Error::conflict(format!(
                    "the partitions of `{map}` hold the rows of {others} other maps too"
                ))
                .hint("leave --map out to reset them for all maps")
                .into());
            }
        }
        let partitions = client.reset_lost(self.unavailable).await?;
        let text = match partitions {
            0 => "no partition is lost".to_owned(),
            1 => "one partition begins anew, empty".to_owned(),
            many => format!("{many} partitions begin anew, empty"),
        };
        Ok(context.output.answer(&json!({ "partitions": partitions }), text)?)
    }
}
