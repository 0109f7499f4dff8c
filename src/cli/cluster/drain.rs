//! `embergrid cluster drain`

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::{
    cli::{context::Context, failure::Result, interrupt::Interrupt},
    client::Client,
    types::Error,
    wire::v1::NodeStatus,
};

/// How often it is asked how far it is.
const EVERY: Duration = Duration::from_millis(200);

/// Have other nodes take over what a node holds, and wait until it can be stopped.
///
/// The node goes on serving meanwhile, and no write is refused. It is drained for as long as it runs: when it is started
/// anew it takes its share again. A node that is told to end by SIGTERM or Ctrl-C drains itself first. Ctrl-C here ends the
/// waiting; the node drains all the same.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid cluster drain embergrid-2")]
pub(super) struct Drain {
    /// The node, by its id or its name.
    #[arg(value_name = "NODE")]
    node: String,
}

impl Drain {
    pub(super) async fn run(self, context: &Context) -> Result {
        let client = context.connect().await?;
        let mut interrupt = Interrupt::listen()?;
        let id = client.drain_node(&self.node).await?;
        let node = tokio::select! {
            node = wait(context, &client, &id) => node?,
            () = interrupt.wait() => of(&client, &id).await?,
        };
        let text = match node.state.as_str() {
            "drained" => format!("{} is drained: it can be stopped", node.name),
            state => format!(
                "{} is {state}: it is the primary of {} partitions and a backup of {}",
                node.name, node.primaries, node.backups
            ),
        };
        Ok(context.output.answer(&json!({ "id": node.id, "name": node.name, "state": node.state }), text)?)
    }
}

/// Waits until the node is drained, and shows how far it is.
async fn wait(context: &Context, client: &Client, id: &str) -> Result<NodeStatus> {
    let holds = |node: &NodeStatus| u64::from(node.primaries) * 2 + u64::from(node.backups);
    let first = of(client, id).await?;
    let progress = context.output.progress(Some(holds(&first)), "roles given away");
    loop {
        let node = of(client, id).await?;
        if node.state != "draining" {
            progress.finish_and_clear();
            return Ok(node);
        }
        progress.set_position(holds(&first).saturating_sub(holds(&node)));
        tokio::time::sleep(EVERY).await;
    }
}

async fn of(client: &Client, id: &str) -> Result<NodeStatus> {
    let mut nodes = client.status(false).await?.nodes.into_iter();
    let node = nodes.find(|node| node.id == id);
    Ok(node.ok_or_else(|| Error::not_found(format!("the node {id} is no member any more")))?)
}
