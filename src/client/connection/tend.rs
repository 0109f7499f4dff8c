//! Streams that are opened again when they break, one a node.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::Instant};
use tonic::transport::Channel;

use super::{
    Shared,
    keep::TICK,
    stream::{Opened, establish},
};
use crate::{
    client::{
        answering::{Found, first_to_answer},
        channel,
    },
    session::{Node, Topology},
    types::{Error, NodeId, PlacementVersion, Result},
    wire::v1,
};

/// The longest pause before another attempt to connect.
const RECONNECT_MOST: Duration = Duration::from_secs(1);
/// The pause before the topology is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Keeps a stream open to a node for as long as the cluster has it.
pub(super) async fn tend(shared: Arc<Shared>, node: NodeId, mut first: Option<Opened>) {
    let mut pause = TICK;
    loop {
        let begun = Instant::now();
        let is_open = first.is_none() && shared.state.lock().session.is_open_to(node);
        match first.take() {
            Some(opened) => run(&shared, opened).await,
            // Whoever looked for any node has found this one.
            None if is_open => tokio::time::sleep(RECONNECT_MOST).await,
            None => match reach(&shared, node).await {
                Ok(opened) => run(&shared, opened).await,
                Err(outage) => shared.state.lock().session.handle_outage(outage),
            },
        }
        if begun.elapsed() > RECONNECT_MOST {
            pause = TICK;
        } else {
            tokio::time::sleep(pause).await;
            pause = RECONNECT_MOST.min(pause * 2);
        }
        {
            let mut state = shared.state.lock();
            if state.closed || !state.session.is_listed(node) {
                state.tended.remove(&node);
                return;
            }
        }
    }
}

/// Opens a stream to a node: where it was reached before, or where it says that it is.
async fn reach(shared: &Arc<Shared>, node: NodeId) -> Result<Opened> {
    let addresses = {
        let state = shared.state.lock();
        let told = state.session.topology().and_then(|topology| topology.node(node));
        let mut addresses = Vec::from_iter(state.reached_at.get(&node).cloned());
        addresses.extend(told.map(|node| node.address.clone()));
        addresses.dedup();
        addresses
    };
    let mut outage = Error::unavailable(format!("it is not known where node {node} is"));
    for address in addresses {
        let opened = async {
            let channel = channel::connect(&address, &shared.options).await?;
            establish(shared, &address, channel, Some(node)).await
        };
        match opened.await {
            Ok(opened) => return Ok(opened),
            Err(error) => outage = error,
        }
    }
    Err(outage)
}

/// Looks for any node at the addresses given by the user, for as long as there is no stream at all.
pub(super) async fn seek(shared: Arc<Shared>) {
    let mut pause = TICK;
    loop {
        {
            let mut state = shared.state.lock();
            if state.closed || !state.session.is_cut_off() {
                state.is_seeking = false;
                return;
            }
        }
        match find(&shared).await {
            Ok(found) => {
                adopt(&shared, found);
                shared.state.lock().is_seeking = false;
                return;
            }
            Err(outage) => shared.state.lock().session.handle_outage(outage),
        }
        tokio::time::sleep(pause).await;
        pause = RECONNECT_MOST.min(pause * 2);
    }
}

/// Opens a stream to the first node that answers at the addresses given by the user.
pub(super) async fn find(shared: &Arc<Shared>) -> Result<Opened> {
    let Found { address, channel } = first_to_answer(&shared.options.addresses, &shared.options).await?;
    establish(shared, &address, channel, None).await
}

/// Has a task run a stream that was found.
pub(super) fn adopt(shared: &Arc<Shared>, found: Opened) {
    let node = found.node;
    if shared.state.lock().tended.insert(node) {
        tokio::spawn(tend(shared.clone(), node, Some(found)));
    } else {
        // The node's own task opens the next one.
        let shared = shared.clone();
        tokio::spawn(async move { run(&shared, found).await });
    }
}

/// Runs a stream until it breaks.
async fn run(shared: &Arc<Shared>, opened: Opened) {
    let (link, stream) = (opened.link, opened.stream);
    // Every node is asked: one that has stopped cannot tell that others have taken its place.
    let mut watching = JoinSet::new();
    watching.spawn(watch(shared.clone(), opened.channel.clone()));
    let outage = opened.read(shared).await;
    shared.disconnect(link, stream, outage);
}

/// Takes what a node tells of where the primaries are.
async fn watch(shared: Arc<Shared>, channel: Channel) {
    loop {
        let request = v1::WatchTopologyRequest {};
        if let Ok(told) = channel::grid(channel.clone()).watch_topology(request).await {
            let mut told = told.into_inner();
            while let Ok(Some(told)) = told.message().await {
                let Some(topology) = topology(told) else { continue };
                let mut state = shared.state.lock();
                state.session.handle_topology(topology, shared.now_us());
                shared.settle(state, &mut Vec::new(), &mut Vec::new());
            }
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// None if no cluster can be so large.
fn topology(wire: v1::Topology) -> Option<Topology> {
    if wire.nodes.len() > usize::from(u16::MAX) || wire.primaries.len() > usize::from(u16::MAX) {
        return None;
    }
    let node = |node: v1::TopologyNode| Node { id: NodeId(node.id), address: node.address };
    let place = |place: u32| place.checked_sub(1).and_then(|at| u16::try_from(at).ok());
    Some(Topology {
        cluster: wire.cluster,
        version: PlacementVersion(wire.version),
        nodes: wire.nodes.into_iter().map(node).collect(),
        primaries: wire.primaries.into_iter().map(place).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topology_is_read_whatever_it_says() {
        let nodes = vec![v1::TopologyNode { id: 7, address: "a:1".into() }];
        let wire = v1::Topology { cluster: 1, version: 2, nodes, primaries: vec![1, 0, u32::MAX, 9] };
        let read = topology(wire.clone()).unwrap();
        assert_eq!((read.cluster, read.version), (1, PlacementVersion(2)));
        assert_eq!(read.nodes, [Node { id: NodeId(7), address: "a:1".into() }]);
        assert_eq!(read.primaries, [Some(0), None, None, Some(8)]);
        assert_eq!(topology(v1::Topology { primaries: vec![1; 1 << 16], ..wire }), None);
    }
}
