//! Which of several addresses a node answers at.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::sleep};
use tonic::{Status, transport::Channel};

use super::{Options, channel};
use crate::{
    types::{Error, Result},
    wire::v1::{Topology, WatchTopologyRequest},
};

/// How long an address may be silent before the next one is tried beside it. A node that was stopped or cut off accepts
/// connections and is silent.
const NEXT_AFTER: Duration = Duration::from_millis(250);

/// A node that answers.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) address: String,
    pub(super) channel: Channel,
}

/// The first node that answers: the addresses are tried in their order, the next one as soon as one refuses or is silent.
pub(super) async fn first_to_answer(addresses: &[String], options: &Arc<Options>) -> Result<Found> {
    let mut outage = Error::invalid("no address was given").hint("addresses are written host:port");
    let mut addresses = addresses.iter();
    let mut asked = JoinSet::new();
    loop {
        if let Some(address) = addresses.next() {
            asked.spawn(ask(address.clone(), options.clone()));
        } else if asked.is_empty() {
            return Err(outage);
        }
        tokio::select! {
            Some(answer) = asked.join_next() => match answer {
                Ok(Ok(found)) => return Ok(found),
                Ok(Err(error)) => outage = error,
                Err(ended) => outage = Error::internal(ended.to_string()),
            },
            () = sleep(NEXT_AFTER), if addresses.len() > 0 => {}
        }
    }
}

/// Connects, and waits for a word of the node.
async fn ask(address: String, options: Arc<Options>) -> Result<Found> {
    let channel = channel::connect(&address, &options).await?;
    let answer = tokio::time::timeout(options.connect_timeout, first_word(channel.clone())).await;
    answer.map_err(|_| {
        Error::unavailable(format!("the node at {address} accepts connections but does not answer"))
    })??;
    Ok(Found { address, channel })
}

async fn first_word(channel: Channel) -> std::result::Result<Option<Topology>, Status> {
    channel::grid(channel).watch_topology(WatchTopologyRequest {}).await?.into_inner().message().await
}
