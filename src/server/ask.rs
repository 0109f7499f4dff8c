//! Questions to other nodes.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{
    catalog::Catalogue,
    net::Call,
    node::Grid,
    types::{Error, NodeId, Result},
};

/// Asks another node, and gives up once the cluster has: of a node that was stopped or cut off, its connection tells only
/// long after others have taken its place. Whether it has done what it was asked is then not known.
pub(super) async fn ask<C: Call>(grid: &Grid, node: NodeId, call: &C, within: Duration) -> Result<C::Answer> {
    let net = grid.net().ok_or_else(|| Error::unavailable("this node has no network"))?;
    tokio::select! {
        answer = net.call(node, call, within) => answer,
        () = down(grid.follow(), node) => Err(Error::unavailable(format!("node {node} is down"))),
    }
}

/// Returns when a node is down, or no member any more.
async fn down(mut catalogue: watch::Receiver<Arc<Catalogue>>, node: NodeId) {
    if catalogue.wait_for(|catalogue| !catalogue.is_up(node)).await.is_err() {
        // Nobody will tell.
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{Command, Founding, Node},
        types::Incarnation,
    };

    #[tokio::test]
    async fn a_node_is_given_up_as_soon_as_the_cluster_has_given_it_up() {
        let node = |id| Node {
            id: NodeId(id),
            name: format!("n{id}"),
            address: "a:1".into(),
            peer_address: "a:2".into(),
        };
        let mut catalogue = Catalogue::default();
        let founding = Founding { others: vec![node(5)], ..Founding::alone(9, 3, node(8)) };
        catalogue.apply(&Command::Found(founding)).expect("a cluster");
        let (told, watching) = watch::channel(Arc::new(catalogue.clone()));
        let waiting = tokio::spawn(down(watching.clone(), NodeId(5)));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "it is up");

        catalogue
            .apply(&Command::FailNode { node: NodeId(5), incarnation: Incarnation(1) })
            .expect("it was heard");
        told.send_replace(Arc::new(catalogue));
        waiting.await.expect("no panic");
        down(watching, NodeId(7)).await;
    }
}
