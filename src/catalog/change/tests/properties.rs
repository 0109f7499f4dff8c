//! Whatever is proposed, and whoever fails, the placement stays sound.

use proptest::prelude::*;

use super::placement::{cluster, node};
use crate::{
    catalog::{Catalogue, Command, Configuration, ConfigurationChange, Step, invariants::check_step},
    types::{Epoch, Generation, Incarnation, JoinId, NodeId, PartitionId, Tenure},
};

/// Something that is proposed: by its numbers, which are made to fit the catalogue most of the time.
#[derive(Clone, Debug)]
enum Proposal {
    Start(u64),
    Fail(u64),
    Return(u64),
    Lead,
    AddLearner(u16, u64),
    Admit(u16, usize),
    Remove(u16, usize),
    Promote(u16, usize),
    Appoint(u16, usize),
    HandOver(u16),
    Retire(u16, usize),
    Drain(u64),
    Stale(u16, u64),
    Reset(bool),
}

fn proposals() -> impl Strategy<Value = Proposal> {
    let (partition, node, nth) = (0..6_u16, 1..6_u64, 0..4_usize);
    prop_oneof![
        1 => node.clone().prop_map(Proposal::Start),
        3 => node.clone().prop_map(Proposal::Fail),
        4 => node.clone().prop_map(Proposal::Return),
        1 => Just(Proposal::Lead),
        6 => (partition.clone(), node.clone()).prop_map(|(partition, node)| Proposal::AddLearner(partition, node)),
        8 => (partition.clone(), nth.clone()).prop_map(|(partition, nth)| Proposal::Admit(partition, nth)),
        2 => (partition.clone(), nth.clone()).prop_map(|(partition, nth)| Proposal::Remove(partition, nth)),
        3 => (partition.clone(), nth.clone()).prop_map(|(partition, nth)| Proposal::Promote(partition, nth)),
        4 => (partition.clone(), nth.clone()).prop_map(|(partition, nth)| Proposal::Appoint(partition, nth)),
        4 => partition.clone().prop_map(Proposal::HandOver),
        4 => (partition.clone(), nth).prop_map(|(partition, nth)| Proposal::Retire(partition, nth)),
        1 => node.clone().prop_map(Proposal::Drain),
        1 => (partition, node).prop_map(|(partition, node)| Proposal::Stale(partition, node)),
        1 => any::<bool>().prop_map(Proposal::Reset),
    ]
}

fn command(catalogue: &Catalogue, proposal: &Proposal) -> Command {
    let incarnation =
        |node| catalogue.member(NodeId(node)).map_or(Incarnation(1), |member| member.incarnation);
    let change = |partition: u16, step: &dyn Fn(&Configuration) -> Step| {
        let held = &catalogue.configurations()[usize::from(partition)];
        let change = ConfigurationChange {
            partition: PartitionId(partition),
            generation: held.generation,
            epoch: held.epoch,
            step: step(held),
        };
        Command::Configure(vec![change])
    };
    let nth = |role: &mut dyn Iterator<Item = JoinId>, nth| role.nth(nth).unwrap_or(JoinId(1));
    match *proposal {
        Proposal::Start(id) => Command::StartNode { node: node(id), after: None },
        Proposal::Fail(id) => Command::FailNode { node: NodeId(id), incarnation: incarnation(id) },
        Proposal::Return(id) => Command::ReturnNode { node: NodeId(id), incarnation: incarnation(id) },
        Proposal::Lead => Command::Lead,
        Proposal::AddLearner(partition, id) => change(partition, &|_| Step::AddLearner { node: NodeId(id) }),
        Proposal::Admit(partition, n) => change(partition, &|held| {
            let mut outside = held.learners.iter().chain(&held.eligible).map(|replica| replica.join);
            Step::Admit { join: nth(&mut outside, n) }
        }),
        Proposal::Remove(partition, n) => change(partition, &|held| Step::Remove {
            join: nth(&mut held.replicas().map(|replica| replica.join), n),
        }),
        Proposal::Promote(partition, n) => change(partition, &|held| {
            let tenure = Tenure(catalogue.tenure.0);
            Step::Promote { join: nth(&mut held.eligible.iter().map(|replica| replica.join), n), tenure }
        }),
        Proposal::Appoint(partition, n) => change(partition, &|held| Step::Appoint {
            join: nth(&mut held.in_sync.iter().map(|replica| replica.join), n),
        }),
        Proposal::HandOver(partition) => {
            change(partition, &|held| Step::HandOver { join: held.successor.unwrap_or(held.primary) })
        }
        Proposal::Retire(partition, n) => change(partition, &|held| Step::Retire {
            join: nth(&mut held.in_sync.iter().map(|replica| replica.join), n),
        }),
        Proposal::Drain(id) => Command::DrainNode { node: NodeId(id), incarnation: incarnation(id) },
        Proposal::Stale(partition, id) => Command::Configure(vec![ConfigurationChange {
            partition: PartitionId(partition),
            generation: Generation(1),
            epoch: Epoch(1),
            step: Step::AddLearner { node: NodeId(id) },
        }]),
        Proposal::Reset(unavailable) => Command::ResetLost { unavailable },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_placement_stays_sound(
        (nodes, backups, min_in_sync) in (1..6_u64, 0..3_u8).prop_flat_map(|(nodes, backups)| {
            (Just(nodes), Just(backups), 1..=backups + 1)
        }),
        proposals in prop::collection::vec(proposals(), 1..80),
    ) {
        let mut catalogue = cluster(nodes, 6, backups, min_in_sync);
        let mut restored = catalogue.clone();
        for proposal in &proposals {
            let command = command(&catalogue, proposal);
            let before = catalogue.clone();
            let answer = catalogue.apply(&command);
            match &answer {
                Ok(_) => check_step(&before, &catalogue),
                Err(_) => prop_assert_eq!(&catalogue, &before),
            }
            let bytes = serde_json::to_vec(&command).unwrap();
            prop_assert_eq!(restored.apply(&serde_json::from_slice(&bytes).unwrap()), answer);
            restored = serde_json::from_slice(&serde_json::to_vec(&restored).unwrap()).unwrap();
            prop_assert_eq!(&restored, &catalogue);
        }
    }

    /// Of all ways to hand a silent node's primaries to those in sync, the most even is taken.
    #[test]
    fn primaries_are_as_even_as_the_in_sync_sets_allow(failed in 1..5_u64, more in 0..3_u64) {
        let mut catalogue = cluster(4 + more, 120, 2, 1);
        let command = Command::FailNode { node: NodeId(failed), incarnation: Incarnation(1) };
        catalogue.apply(&command).unwrap();
        let of = |node| {
            let held = catalogue.configurations().iter();
            held.filter(|held| held.primary_node() == Some(node)).count()
        };
        let counts: Vec<usize> = catalogue.up().into_iter().map(of).collect();
        prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{:?}", counts);
    }
}
