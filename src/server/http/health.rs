//! Health, for those who start and stop nodes.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::Service;
use crate::{
    catalog::Catalogue,
    types::{NodeId, PartitionId, Result},
};

/// The process answers.
pub(in crate::server) async fn live() -> Response {
    Json(json!({ "live": true })).into_response()
}

/// The node belongs to its cluster, and what it holds as primary can be read and written.
pub(super) async fn ready(State(service): State<Service>) -> Response {
    match service.grid.is_ready() {
        true => Json(json!({ "ready": true })).into_response(),
        false => not_ready("not all that this node holds can be read and written"),
    }
}

pub(in crate::server) fn not_ready(reason: &str) -> Response {
    let body = Json(json!({ "ready": false, "reason": reason }));
    (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
}

/// Stopping the node loses no row: whatever it has, another node that is up has too.
pub(super) async fn safe_to_stop(State(service): State<Service>) -> Response {
    let alone = held_alone(&service.grid.catalogue(), service.grid.me());
    let reason = match rows(&service, &alone) {
        Ok(0) => return Json(json!({ "safe_to_stop": true })).into_response(),
        Ok(rows) => format!("{rows} rows are in the memory of this node alone"),
        Err(error) => {
            format!("{} partitions are in the memory of this node alone: {}", alone.len(), error.message)
        }
    };
    let body = Json(json!({ "safe_to_stop": false, "reason": reason }));
    (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
}

/// The partitions that the node has in sync, and nobody else who is up.
fn held_alone(catalogue: &Catalogue, node: NodeId) -> Vec<PartitionId> {
    let is_alone = |(partition, held): (PartitionId, &crate::catalog::Configuration)| {
        let is_here = held.in_sync.iter().any(|replica| replica.node == node);
        let others = held.in_sync.iter().filter(|replica| replica.node != node);
        (is_here && !others.map(|replica| replica.node).any(|other| catalogue.is_up(other)))
            .then_some(partition)
    };
    (0..).map(PartitionId).zip(catalogue.configurations()).filter_map(is_alone).collect()
}

fn rows(service: &Service, partitions: &[PartitionId]) -> Result<u64> {
    let view = service.grid.view();
    let of = |partition: &PartitionId| {
        view.maps.keys().map(|map| service.grid.size_of(*map, *partition)).sum::<Result<u64>>()
    };
    partitions.iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{Command, Founding, Node},
        types::Incarnation,
    };

    #[test]
    fn a_partition_is_held_alone_while_its_other_members_are_down() {
        let named = |id: u64| {
            let (name, address) = (format!("n{id}"), format!("127.0.0.1:{id}"));
            Node { id: NodeId(id), name, address: address.clone(), peer_address: address }
        };
        let mut catalogue = Catalogue::default();
        let founding = Founding { others: vec![named(2)], ..Founding::alone(9, 5, named(1)) };
        catalogue.apply(&Command::Found(founding)).unwrap();
        let in_sync: usize = catalogue.configurations().iter().map(|held| held.in_sync.len()).sum();
        let alone = |catalogue: &Catalogue| [1, 2].map(|id| held_alone(catalogue, NodeId(id)).len());
        // Whoever has no other member yet is alone.
        assert_eq!(alone(&catalogue).iter().sum::<usize>(), if in_sync == 10 { 0 } else { 5 });
        let silent = Command::FailNode { node: NodeId(2), incarnation: Incarnation(1) };
        catalogue.apply(&silent).unwrap();
        let held: Vec<usize> = [1, 2]
            .map(|id| {
                let holds = |held: &&crate::catalog::Configuration| {
                    held.in_sync.iter().any(|replica| replica.node == NodeId(id))
                };
                catalogue.configurations().iter().filter(holds).count()
            })
            .to_vec();
        assert_eq!(alone(&catalogue).to_vec(), held);
        assert_eq!(held[0] + held[1], 5);
    }
}
