//! Who holds what: founding, starts, learners, admissions, removals.

use std::collections::BTreeMap;

use crate::{
    catalog::{
        Catalogue, Command, Configuration, ConfigurationChange, Founding, Health, MAX_NODES, Node, Replica,
        Response, Step,
        invariants::{check, check_step},
    },
    types::{
        CatalogueVersion, Class, Epoch, Generation, Incarnation, JoinId, NodeId, PartitionId,
        PlacementVersion, Result, Tenure,
    },
};

pub(super) fn node(id: u64) -> Node {
    Node { id: NodeId(id), name: format!("n{id}"), address: String::new(), peer_address: String::new() }
}

/// A cluster founded by nodes 1, 2, ..
pub(super) fn cluster(nodes: u64, partition_count: u16, backup_count: u8, min_in_sync: u8) -> Catalogue {
    let others = (2..=nodes).map(node).collect();
    let founding =
        Founding { backup_count, min_in_sync, others, ..Founding::alone(7, partition_count, node(1)) };
    let mut catalogue = Catalogue::default();
    catalogue.apply(&Command::Found(founding)).unwrap();
    check(&catalogue);
    catalogue
}

pub(super) fn start(id: u64) -> Command {
    Command::StartNode { node: node(id), after: None }
}

pub(super) fn fail(id: u64) -> Command {
    Command::FailNode { node: NodeId(id), incarnation: Incarnation(1) }
}

pub(super) fn welcome(id: u64) -> Command {
    Command::ReturnNode { node: NodeId(id), incarnation: Incarnation(1) }
}

pub(super) fn applied(catalogue: &mut Catalogue, command: &Command) -> Response {
    let before = catalogue.clone();
    let response = catalogue.apply(command).unwrap();
    check_step(&before, catalogue);
    response
}

/// Changes one partition as it stands.
pub(super) fn change(catalogue: &mut Catalogue, partition: u16, step: Step) -> Result<Epoch> {
    let held = held(catalogue, partition);
    let change = ConfigurationChange {
        partition: PartitionId(partition),
        generation: held.generation,
        epoch: held.epoch,
        step,
    };
    match applied(catalogue, &Command::Configure(vec![change])) {
        Response::Configured(outcomes) => outcomes[0].clone(),
        other => panic!("{other:?}"),
    }
}

pub(super) fn held(catalogue: &Catalogue, partition: u16) -> &Configuration {
    catalogue.configuration(PartitionId(partition)).unwrap()
}

pub(super) fn replica(join: u64, node: u64) -> Replica {
    Replica { join: JoinId(join), node: NodeId(node) }
}

pub(super) fn health(catalogue: &Catalogue, partition: u16) -> Health {
    catalogue.health(held(catalogue, partition))
}

fn spread(counts: impl IntoIterator<Item = usize>) -> usize {
    let counts: Vec<usize> = counts.into_iter().collect();
    counts.iter().max().unwrap() - counts.iter().min().unwrap()
}

#[test]
fn those_who_found_a_cluster_share_it_evenly() {
    let catalogue = cluster(3, 4, 1, 1);
    assert_eq!(held(&catalogue, 0).in_sync, [replica(1, 1), replica(2, 2)]);
    assert_eq!(held(&catalogue, 1).in_sync, [replica(3, 3), replica(4, 1)]);
    assert_eq!(held(&catalogue, 2).in_sync, [replica(5, 2), replica(6, 3)]);
    assert_eq!((catalogue.version, catalogue.placement), (CatalogueVersion(1), PlacementVersion(1)));
    for (nodes, partitions, backups) in [(1, 271, 1), (2, 271, 1), (3, 271, 1), (5, 271, 2), (4, 10, 3)] {
        let catalogue = cluster(nodes, partitions, backups, 1);
        let mut loads: BTreeMap<NodeId, (usize, usize)> = BTreeMap::new();
        let mut pairs: BTreeMap<(NodeId, NodeId), usize> = BTreeMap::new();
        for held in catalogue.configurations() {
            assert_eq!(held.in_sync.len() as u64, nodes.min(u64::from(backups) + 1));
            let primary = held.primary_node().unwrap();
            loads.entry(primary).or_default().0 += 1;
            for replica in &held.in_sync {
                loads.entry(replica.node).or_default().1 += 1;
                *pairs.entry((primary, replica.node)).or_default() += usize::from(primary != replica.node);
            }
            assert_eq!(catalogue.health(held), Health::Healthy);
        }
        assert!(spread(loads.values().map(|load| load.0)) <= 1, "{loads:?}");
        assert!(spread(loads.values().map(|load| load.1)) <= 1, "{loads:?}");
        let pairs: Vec<usize> = pairs.into_values().filter(|count| *count > 0).collect();
        assert!(pairs.is_empty() || spread(pairs.iter().copied()) <= 2, "{nodes} {backups}: {pairs:?}");
    }
}

#[test]
fn what_no_cluster_could_be_is_refused() {
    let refusal = |edit: &dyn Fn(&mut Founding)| {
        let mut founding = Founding::alone(7, 3, node(1));
        edit(&mut founding);
        let mut catalogue = Catalogue::default();
        let error = catalogue.apply(&Command::Found(founding)).unwrap_err();
        assert_eq!(catalogue, Catalogue::default());
        error.to_string()
    };
    assert_eq!(refusal(&|founding| founding.cluster = 0), "a cluster's id is not zero");
    assert_eq!(
        refusal(&|founding| founding.partition_count = 0),
        "a cluster cannot have 0 partitions (the count lies between 1 and 4096)"
    );
    assert_eq!(
        refusal(&|founding| founding.backup_count = 7),
        "a partition cannot have 7 backups (the count lies between 0 and 6)"
    );
    for min_in_sync in [0, 3, 255] {
        assert_eq!(
            refusal(&|founding| founding.min_in_sync = min_in_sync),
            format!(
                "min_in_sync = {min_in_sync} is out of range (with backup_count = 1 it lies between 1 and 2)"
            )
        );
    }
    assert_eq!(
        refusal(&|founding| founding.others = vec![node(2), node(1)]),
        "the node 0000000000000001 cannot found a cluster twice"
    );
    assert!(
        refusal(&|founding| founding.others = vec![Node { name: "a b".into(), ..node(2) }]).contains("name")
    );
    assert!(refusal(&|founding| founding.others = (2..=257).map(node).collect()).contains("257 nodes"));
}

#[test]
fn a_node_joins_is_filled_and_admitted() {
    let mut catalogue = cluster(1, 1, 1, 1);
    let joined = applied(&mut catalogue, &start(2));
    assert_eq!(joined, Response::Started { incarnation: Incarnation(1), new_generation: false });
    assert_eq!((catalogue.version, catalogue.placement), (CatalogueVersion(1), PlacementVersion(2)));
    assert_eq!(health(&catalogue, 0), Health::UnderReplicated);

    let refusal = |catalogue: &mut Catalogue, step| {
        change(catalogue, 0, step).unwrap_err().message.strip_prefix("partition 0: ").unwrap().to_owned()
    };
    let add = |node| Step::AddLearner { node: NodeId(node) };
    assert_eq!(refusal(&mut catalogue, add(9)), "the node 0000000000000009 is not up");
    assert_eq!(refusal(&mut catalogue, add(1)), "the node 0000000000000001 holds replica 1 of it");
    assert_eq!(change(&mut catalogue, 0, add(2)), Ok(Epoch(2)));
    assert_eq!(held(&catalogue, 0).learners, [replica(2, 2)]);
    assert_eq!(refusal(&mut catalogue, add(2)), "the node 0000000000000002 holds replica 2 of it");
    let admit = |join| Step::Admit { join: JoinId(join) };
    assert_eq!(refusal(&mut catalogue, admit(1)), "replica 1 has no such role in it");
    assert_eq!(change(&mut catalogue, 0, admit(2)), Ok(Epoch(3)));
    let admitted = Configuration {
        in_sync: vec![replica(1, 1), replica(2, 2)],
        ..Configuration::sole(Generation(1), Epoch(3), replica(1, 1))
    };
    assert_eq!(held(&catalogue, 0), &admitted, "nothing moves");
    assert_eq!(health(&catalogue, 0), Health::Healthy);

    let remove = |join| Step::Remove { join: JoinId(join) };
    assert_eq!(refusal(&mut catalogue, remove(1)), "replica 1 is the primary");
    assert_eq!(change(&mut catalogue, 0, remove(2)), Ok(Epoch(4)));
    assert_eq!(refusal(&mut catalogue, remove(2)), "replica 2 has no such role in it");
    assert_eq!(change(&mut catalogue, 0, add(2)), Ok(Epoch(5)));
    assert_eq!(held(&catalogue, 0).learners, [replica(3, 2)], "a fresh join id");
    assert_eq!(change(&mut catalogue, 0, remove(3)), Ok(Epoch(6)), "a learner can be removed too");
    assert_eq!(held(&catalogue, 0), &Configuration::sole(Generation(1), Epoch(6), replica(1, 1)));
}

#[test]
fn a_change_is_judged_by_the_epoch_it_was_decided_at() {
    let mut catalogue = cluster(3, 2, 1, 1);
    let before = catalogue.clone();
    let change = |partition, generation, epoch| ConfigurationChange {
        partition: PartitionId(partition),
        generation: Generation(generation),
        epoch: Epoch(epoch),
        step: Step::Remove { join: JoinId(if partition == 0 { 2 } else { 4 }) },
    };
    let command = Command::Configure(vec![
        change(0, 1, 2),
        change(0, 2, 1),
        change(7, 1, 1),
        change(1, 1, 1),
        change(1, 1, 1),
    ]);
    let Response::Configured(outcomes) = applied(&mut catalogue, &command) else { panic!() };
    let shown: Vec<String> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Ok(epoch) => format!("epoch {epoch}"),
            Err(error) => error.message.to_string(),
        })
        .collect();
    assert_eq!(
        shown,
        [
            "partition 0 stands at generation 1, epoch 1, not at 1, 2",
            "partition 0 stands at generation 1, epoch 1, not at 2, 1",
            "there is no partition 7",
            "epoch 2",
            "partition 1 stands at generation 1, epoch 2, not at 1, 1",
        ]
    );
    assert_eq!(catalogue.placement, PlacementVersion(2), "one command, one version");
    assert_eq!(held(&catalogue, 0), held(&before, 0));
    let placement = catalogue.placement;
    applied(&mut catalogue, &Command::Configure(vec![change(1, 1, 1)]));
    assert_eq!(catalogue.placement, placement, "nothing changed");
    let error = catalogue.apply(&Command::Configure(vec![change(1, 1, 1); 4097])).unwrap_err();
    assert_eq!(error.to_string(), "4097 configurations cannot change at once (the limit is 4096)");
}

#[test]
fn an_admission_that_completes_a_partition_ends_the_other_fills() {
    let mut catalogue = cluster(1, 1, 1, 1);
    for id in [2, 3] {
        applied(&mut catalogue, &start(id));
        change(&mut catalogue, 0, Step::AddLearner { node: NodeId(id) }).unwrap();
    }
    change(&mut catalogue, 0, Step::Admit { join: JoinId(3) }).unwrap();
    assert_eq!(held(&catalogue, 0).in_sync, [replica(1, 1), replica(3, 3)]);
    assert_eq!(held(&catalogue, 0).learners, []);
}

#[test]
fn a_tenure_ends_the_ones_before() {
    let mut catalogue = cluster(1, 1, 0, 1);
    assert_eq!(applied(&mut catalogue, &Command::Lead), Response::Leads { tenure: Tenure(1) });
    assert_eq!(applied(&mut catalogue, &Command::Lead), Response::Leads { tenure: Tenure(2) });
    assert_eq!((catalogue.version, catalogue.placement), (CatalogueVersion(1), PlacementVersion(3)));
}

#[test]
fn of_a_start_that_was_proposed_twice_one_counts() {
    let mut catalogue = cluster(2, 3, 1, 1);
    let start = |id, after| Command::StartNode { node: node(id), after: Some(Incarnation(after)) };
    let started =
        |incarnation| Response::Started { incarnation: Incarnation(incarnation), new_generation: false };
    assert_eq!(applied(&mut catalogue, &start(3, 0)), started(1));
    let before = catalogue.clone();
    let refused = catalogue.apply(&start(3, 0)).unwrap_err();
    assert_eq!(refused.class, Class::Conflict);
    assert_eq!(refused.message, "the node `n3` is at start 1, not at start 0: it was recorded already");
    assert_eq!(catalogue.apply(&start(4, 1)).unwrap_err().class, Class::Conflict);
    assert_eq!(catalogue, before);
    assert_eq!(applied(&mut catalogue, &start(2, 1)), started(2));
    assert_eq!(applied(&mut catalogue, &start(2, 2)), started(3));
    assert_eq!(catalogue.apply(&start(2, 1)).unwrap_err().class, Class::Conflict);
}

#[test]
fn a_full_cluster_forgets_a_silent_node_that_holds_nothing() {
    let mut catalogue = cluster(2, 2, 0, 1);
    for id in 3..=MAX_NODES as u64 {
        applied(&mut catalogue, &start(id));
    }
    assert_eq!(
        catalogue.apply(&start(1000)).unwrap_err().message,
        "the cluster has 256 nodes already, the limit"
    );
    applied(&mut catalogue, &fail(2));
    assert!(catalogue.apply(&start(1000)).is_err(), "node 2 holds a partition");
    applied(&mut catalogue, &fail(7));
    applied(&mut catalogue, &start(1000));
    assert_eq!(catalogue.member(NodeId(7)), None);
    assert_eq!(catalogue.members().count(), MAX_NODES);
}
