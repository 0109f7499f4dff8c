//! Addresses where other nodes may be found.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use super::{
    backoff::Backoff,
    dial::end,
    hello::Purpose,
    refusal::{Reason, Refusal},
    resolve::resolve,
    shared::Shared,
};
use crate::types::NodeId;

/// How often a seed is looked up again when everyone behind it is connected.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Looks for nodes at a seed, for ever: a name may stand for several, and they come and go.
pub(super) async fn watch(shared: Arc<Shared>, seed: String) {
    let mut backoff = Backoff::new(shared.me().0);
    let mut known = HashMap::new();
    loop {
        let all_well = look(&shared, &seed, &mut known).await.unwrap_or_else(|refusal| {
            shared.not_connected(&seed, &refusal);
            false
        });
        if all_well {
            backoff.reset();
            tokio::time::sleep(LOOK_EVERY).await;
        } else {
            tokio::time::sleep(backoff.pause()).await;
        }
    }
}

/// Asks at every address of the seed behind which nobody connected is known; says whether all of them answered.
async fn look(
    shared: &Arc<Shared>,
    seed: &str,
    known: &mut HashMap<SocketAddr, NodeId>,
) -> Result<bool, Refusal> {
    let addresses = resolve(seed, shared.local).await?;
    known.retain(|at, _| addresses.contains(at));
    let mut all_well = true;
    for at in addresses {
        let is_well = |node: &NodeId| *node == shared.me() || shared.seen.borrow().contains_key(node);
        if known.get(&at).is_some_and(is_well) {
            continue;
        }
        match shared.dial_at(at, None, Purpose::Probe).await {
            Ok(found) => {
                known.insert(at, found.hello.peer.node);
                shared.links.discover(shared, found.hello.peer.node, &found.hello.address);
                end(&found.connection, Refusal::new(Reason::Done, "thanks"));
            }
            Err(refusal) if refusal.reason == Reason::Done => drop(known.insert(at, shared.me())),
            Err(refusal) => {
                shared.not_connected(format_args!("the seed {seed} at {at}"), &refusal);
                all_well = false;
            }
        }
    }
    Ok(all_well)
}
