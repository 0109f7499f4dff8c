//! The catalogue as clients see it.

use std::collections::BTreeMap;

use crate::{
    catalog::{
        Binding, Catalogue, Configuration, Health, Map, MapKind, Member, MemberState, Mode, Model,
        ModelVersion, NullPolicy, Replica,
    },
    node::Burden,
    partition::{Account, Progress},
    types::{NodeId, PartitionId, Result},
    wire::v1,
};

pub(super) fn map(catalogue: &Catalogue, map: &Map) -> v1::MapDescription {
    let schemas = match &map.kind {
        MapKind::Plain => Vec::new(),
        MapKind::Feature { schemas } => schemas.iter().map(|schema| schema.as_ref().into()).collect(),
    };
    v1::MapDescription {
        id: map.id.0,
        name: map.name.clone(),
        key_name: map.key_name.clone().unwrap_or_default(),
        key_kind: map.key_kind.map_or(v1::Kind::Unspecified, v1::Kind::from).into(),
        schemas,
        bindings: catalogue.bindings_of(map.id).map(|bound| binding(bound)).collect(),
    }
}

pub(super) fn binding(binding: &Binding) -> v1::BindingDescription {
    let mode = match binding.file.mode {
        Mode::Sync => "sync",
        Mode::Async => "async",
    };
    v1::BindingDescription {
        id: binding.id.0,
        name: binding.file.name.clone(),
        map: binding.file.map.clone(),
        model: binding.file.model.to_string(),
        model_name: binding.file.model.name.clone(),
        model_version: binding.model_version,
        mode: mode.to_string(),
        columns: binding.file.outputs.keys().cloned().collect(),
    }
}

pub(super) fn model(name: &str, model: &Model) -> v1::ModelDescription {
    v1::ModelDescription {
        name: name.to_string(),
        versions: model.versions().values().map(|version| self::version(version)).collect(),
        aliases: model.aliases().iter().map(|(alias, version)| (alias.clone(), *version)).collect(),
    }
}

fn version(version: &ModelVersion) -> v1::VersionDescription {
    let input = |input: &crate::catalog::InputSignature| v1::InputDescription {
        name: input.name.clone(),
        r#type: input.kind.to_string(),
        features: input.features.clone(),
        null: match input.null {
            NullPolicy::Reject => "reject".to_string(),
            NullPolicy::Nan => "nan".to_string(),
        },
    };
    let output = |output: &crate::catalog::OutputSignature| v1::OutputDescription {
        name: output.name.clone(),
        r#type: output.kind.to_string(),
        elements: output.elements.clone(),
    };
    v1::VersionDescription {
        version: version.version,
        digest: version.digest.to_string(),
        kind: version.kind.to_string(),
        bytes: version.bytes,
        inputs: version.inputs.iter().map(input).collect(),
        outputs: version.outputs.iter().map(output).collect(),
    }
}

/// The cluster's state, by its configurations.
pub(super) fn status(catalogue: &Catalogue, leader: Option<NodeId>, partitions: bool) -> v1::StatusReply {
    let configurations = catalogue.configurations();
    let numbered = (0..).zip(configurations);
    let each = numbered.map(|(number, held)| partition(catalogue, number, held));
    v1::StatusReply {
        cluster: format!("{:016x}", catalogue.cluster),
        leader: leader.map(|leader| name(catalogue, leader)).unwrap_or_default(),
        nodes: catalogue.members().map(|member| node(catalogue, member)).collect(),
        totals: Some(totals(catalogue)),
        partitions: if partitions { each.collect() } else { Vec::new() },
    }
}

/// What a node is called; one that the catalogue does not know, by its id.
fn name(catalogue: &Catalogue, node: NodeId) -> String {
    catalogue.member(node).map_or_else(|| format!("{:016x}", node.0), |member| member.node.name.clone())
}

fn node(catalogue: &Catalogue, member: &Member) -> v1::NodeStatus {
    let id = member.node.id;
    let Burden { primaries, backups } = Burden::of(id, catalogue);
    let is_filled = |held: &&Configuration| held.learners.iter().any(|learner| learner.node == id);
    let state = match member.state {
        MemberState::Up if catalogue.is_safe_to_stop(id) => "drained",
        MemberState::Up if member.draining => "draining",
        MemberState::Up => "up",
        MemberState::Down => "down",
    };
    v1::NodeStatus {
        id: format!("{:016x}", id.0),
        name: member.node.name.clone(),
        incarnation: member.incarnation.0,
        state: state.to_string(),
        addr: member.node.address.clone(),
        primaries: primaries as u32,
        backups: backups as u32,
        learners: catalogue.configurations().iter().filter(is_filled).count() as u32,
    }
}

fn totals(catalogue: &Catalogue) -> v1::PartitionTotals {
    let mut totals = v1::PartitionTotals::default();
    for held in catalogue.configurations() {
        totals.total += 1;
        *match catalogue.health(held) {
            Health::Healthy => &mut totals.healthy,
            Health::UnderReplicated => &mut totals.under_replicated,
            Health::Unavailable => &mut totals.unavailable,
            Health::Lost => &mut totals.lost,
        } += 1;
    }
    totals
}

fn partition(catalogue: &Catalogue, number: u32, held: &Configuration) -> v1::PartitionStatus {
    let primary = held.primary_node();
    let names = |replicas: &[Replica]| {
        let others = replicas.iter().filter(|replica| Some(replica.node) != primary);
        others.map(|replica| name(catalogue, replica.node)).collect()
    };
    v1::PartitionStatus {
        partition: number,
        state: catalogue.health(held).name().to_string(),
        primary: primary.map(|node| name(catalogue, node)).unwrap_or_default(),
        backups: names(&held.in_sync),
        epoch: held.epoch.0,
        learners: names(&held.learners),
        eligible: names(&held.eligible),
        generation: held.generation.0,
        successor: held.successor_node().map(|node| name(catalogue, node)).unwrap_or_default(),
        progress: None,
    }
}

/// Adds what the primaries say to the status of each partition.
pub(super) fn add_accounts(
    status: &mut v1::StatusReply,
    catalogue: &Catalogue,
    accounts: &BTreeMap<PartitionId, Account>,
) {
    for (number, partition) in (0..).zip(&mut status.partitions) {
        partition.progress = accounts.get(&PartitionId(number)).map(|account| progress(catalogue, account));
    }
}

fn progress(catalogue: &Catalogue, account: &Account) -> v1::PartitionProgress {
    let replica = |of: &Progress| v1::ReplicaProgress {
        node: name(catalogue, of.node),
        lag: of.lag,
        copied_rows: of.copied,
    };
    v1::PartitionProgress {
        position: account.position.to_string(),
        rows: account.rows,
        differs: account.differs,
        replicas: account.others.iter().map(replica).collect(),
    }
}

/// A map by its name.
pub(super) fn named_map(catalogue: &Catalogue, name: &str) -> Result<v1::MapDescription> {
    Ok(map(catalogue, catalogue.map(name)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{Command, ConfigurationChange, Founding, Node, Step},
        types::{Incarnation, PartitionId},
    };

    fn named(id: u64) -> Node {
        let (name, address) = (format!("n{id}"), format!("127.0.0.1:{id}"));
        Node { id: NodeId(id), name, address: address.clone(), peer_address: address }
    }

    /// Three nodes that found a cluster of a few partitions, each with one backup.
    fn cluster(partition_count: u16) -> Catalogue {
        let mut catalogue = Catalogue::default();
        let founding =
            Founding { others: vec![named(2), named(3)], ..Founding::alone(9, partition_count, named(1)) };
        catalogue.apply(&Command::Found(founding)).unwrap();
        catalogue
    }

    fn states(status: &v1::StatusReply) -> [u32; 5] {
        let totals = status.totals.unwrap();
        let v1::PartitionTotals { total, healthy, under_replicated, unavailable, lost } = totals;
        [total, healthy, under_replicated, unavailable, lost]
    }

    #[test]
    fn a_cluster_shows_who_holds_what() {
        let catalogue = cluster(6);
        let shown = status(&catalogue, Some(NodeId(2)), true);
        assert_eq!((shown.leader.as_str(), shown.partitions.len()), ("n2", 6));
        let held = |of: fn(&v1::NodeStatus) -> u32| shown.nodes.iter().map(of).sum::<u32>();
        let configurations = catalogue.configurations();
        let backups: usize = configurations.iter().map(|held| held.in_sync.len() - 1).sum();
        let learners: usize = configurations.iter().map(|held| held.learners.len()).sum();
        assert_eq!(held(|node| node.primaries), 6);
        assert_eq!(held(|node| node.backups), backups as u32);
        assert_eq!(held(|node| node.learners), learners as u32);
        assert!(shown.nodes.iter().all(|node| node.state == "up"));
        assert_eq!(status(&catalogue, None, false).partitions, []);
    }

    #[test]
    fn a_silent_node_is_down_and_its_partitions_are_not_healthy() {
        let mut catalogue = cluster(6);
        let silent = Command::FailNode { node: NodeId(3), incarnation: Incarnation(1) };
        catalogue.apply(&silent).unwrap();
        let shown = status(&catalogue, None, true);
        assert_eq!(shown.leader, "");
        assert_eq!(shown.nodes[2].state, "down");
        let [total, healthy, under_replicated, unavailable, lost] = states(&shown);
        assert_eq!(healthy + under_replicated + unavailable + lost, total);
        assert!(healthy < total, "{shown:?}");
        for one in &shown.partitions {
            assert!(one.state != "healthy" || (one.primary != "n3" && !one.backups.contains(&"n3".into())));
        }
    }

    #[test]
    fn a_replica_that_is_filled_is_a_learner_and_then_a_backup() {
        let mut catalogue = Catalogue::default();
        catalogue.apply(&Command::Found(Founding::alone(9, 1, named(1)))).unwrap();
        catalogue.apply(&Command::StartNode { node: named(2), after: None }).unwrap();
        let step = |catalogue: &mut Catalogue, step: Step| {
            let held = &catalogue.configurations()[0];
            let (generation, epoch) = (held.generation, held.epoch);
            let change = ConfigurationChange { partition: PartitionId(0), generation, epoch, step };
            catalogue.apply(&Command::Configure(vec![change])).unwrap();
        };
        step(&mut catalogue, Step::AddLearner { node: NodeId(2) });
        let filling = status(&catalogue, None, true);
        assert_eq!(filling.partitions[0].learners, ["n2"]);
        assert_eq!((filling.nodes[1].learners, filling.nodes[1].backups), (1, 0));
        assert_eq!(states(&filling), [1, 0, 1, 0, 0]);
        let join = catalogue.configurations()[0].learners[0].join;
        step(&mut catalogue, Step::Admit { join });
        let filled = status(&catalogue, None, true);
        assert_eq!(
            (filled.partitions[0].backups.as_slice(), filled.partitions[0].learners.len()),
            (&["n2".to_string()][..], 0)
        );
        assert_eq!((filled.nodes[1].learners, filled.nodes[1].backups), (0, 1));
        assert_eq!(states(&filled), [1, 1, 0, 0, 0]);
    }
}
