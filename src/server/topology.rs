//! Where the primaries are, told to clients at once and with every change.

use std::collections::BTreeSet;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::service::Service;
use crate::{catalog::Catalogue, types::NodeId, wire::v1};

type Told = std::result::Result<v1::Topology, Status>;

/// Tells where the primaries are, until the client goes or the server is to stop. Changes that come faster than they are
/// taken are told together.
pub(super) fn watch(service: &Service) -> ReceiverStream<Told> {
    let (sender, receiver) = mpsc::channel(1);
    let mut catalogue = service.grid.follow();
    let stop = service.stopping.wait();
    let tell = async move {
        let mut last = v1::Topology::default();
        loop {
            // Room first, so that what is told is the latest.
            let Ok(room) = sender.reserve().await else { return };
            let next = topology(&catalogue.borrow_and_update());
            last.version = next.version;
            if next != last {
                room.send(Ok(next.clone()));
                last = next;
            }
            tokio::select! {
                changed = catalogue.changed() => if changed.is_err() { return },
                () = sender.closed() => return,
            }
        }
    };
    tokio::spawn(async move {
        tokio::select! {
            () = tell => {}
            () = stop => {}
        }
    });
    ReceiverStream::new(receiver)
}

/// The nodes that are heard, and those that are primaries whether heard or not.
fn topology(catalogue: &Catalogue) -> v1::Topology {
    let primaries: Vec<Option<NodeId>> =
        catalogue.configurations().iter().map(|held| held.primary_node()).collect();
    let leading: BTreeSet<NodeId> = primaries.iter().flatten().copied().collect();
    let named = catalogue.members().filter(|member| member.is_up() || leading.contains(&member.node.id));
    let nodes: Vec<v1::TopologyNode> = named
        .map(|member| v1::TopologyNode { id: member.node.id.0, address: member.node.address.clone() })
        .collect();
    // Members come by their ids.
    let place = |node: NodeId| nodes.binary_search_by_key(&node.0, |node| node.id).ok();
    let number = |at: usize| u32::try_from(at + 1).unwrap_or(0);
    let primaries = primaries.into_iter().map(|node| node.and_then(place).map_or(0, number)).collect();
    v1::Topology { cluster: catalogue.cluster, version: catalogue.placement.0, nodes, primaries }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{Command, Founding, Node},
        types::Incarnation,
    };

    fn node(id: u64) -> Node {
        let address = |port: u16| format!("10.0.0.{id}:{port}");
        Node { id: NodeId(id), name: format!("n{id}"), address: address(7700), peer_address: address(7701) }
    }

    #[test]
    fn primaries_are_told_by_the_place_of_their_node() {
        let mut catalogue = Catalogue::default();
        let founding = Founding { others: vec![node(5), node(2)], ..Founding::alone(9, 7, node(8)) };
        catalogue.apply(&Command::Found(founding)).expect("a cluster");
        let told = topology(&catalogue);
        assert_eq!((told.cluster, told.version), (9, catalogue.placement.0));
        let nodes: Vec<(u64, &str)> =
            told.nodes.iter().map(|node| (node.id, node.address.as_str())).collect();
        assert_eq!(nodes, [(2, "10.0.0.2:7700"), (5, "10.0.0.5:7700"), (8, "10.0.0.8:7700")]);
        let by_place: Vec<Option<NodeId>> = told
            .primaries
            .iter()
            .map(|place| told.nodes.get((*place as usize).checked_sub(1)?).map(|node| NodeId(node.id)))
            .collect();
        let primaries: Vec<Option<NodeId>> =
            catalogue.configurations().iter().map(|held| held.primary_node()).collect();
        assert_eq!(by_place, primaries);
    }

    #[test]
    fn a_node_that_is_not_heard_is_told_only_as_long_as_it_leads() {
        let mut catalogue = Catalogue::default();
        let alone = Founding { backup_count: 0, ..Founding::alone(9, 3, node(8)) };
        catalogue.apply(&Command::Found(Founding { others: vec![node(5)], ..alone })).expect("a cluster");
        let fail = |node| Command::FailNode { node: NodeId(node), incarnation: Incarnation(1) };
        catalogue.apply(&fail(5)).expect("it was heard");
        let leads = |catalogue: &Catalogue| {
            catalogue.configurations().iter().any(|held| held.primary_node() == Some(NodeId(5)))
        };
        assert!(leads(&catalogue), "nobody else has its rows");
        assert_eq!(topology(&catalogue).nodes.len(), 2);
        catalogue.apply(&Command::ResetLost { unavailable: true }).expect("an operator may");
        assert!(!leads(&catalogue));
        assert_eq!(topology(&catalogue).nodes.iter().map(|node| node.id).collect::<Vec<_>>(), [8]);
    }
}
