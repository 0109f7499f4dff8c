//! What an earlier release stored is still read.

use super::placement::{applied, start};
use crate::{
    catalog::{Catalogue, Command, Founding, Member, MemberState, Response},
    types::{Incarnation, NodeId, PlacementVersion, Tenure},
};

/// A snapshot of release 0.1.0: one node that has started twice.
const SNAPSHOT: &str = r#"{"version":3,"cluster":5,"partition_count":1,"members":{"17":{"node":{"id":17,"name":"n1",
    "address":"127.0.0.1:7700","peer_address":"127.0.0.1:7701"},"incarnation":2}},"configurations":[{"generation":2,
    "epoch":2,"primary":2,"in_sync":[{"join":2,"node":17}],"learners":[],"eligible":[]}],"maps":{"1":{"id":1,
    "name":"cache","key_name":null,"key_kind":null,"kind":"plain"}},"map_ids":{"cache":1},"models":{},"bindings":{},
    "next":{"map":2,"schema":1,"binding":1,"join":3,"session":1}}"#;

/// An entry of its log.
const FOUNDING: &str = r#"{"found":{"cluster":5,"partition_count":1,"node":{"id":17,"name":"n1",
    "address":"127.0.0.1:7700","peer_address":"127.0.0.1:7701"}}}"#;

#[test]
fn a_snapshot_of_release_0_1_is_read() {
    let mut catalogue: Catalogue = serde_json::from_str(SNAPSHOT).unwrap();
    assert_eq!((catalogue.backup_count, catalogue.min_in_sync), (1, 1));
    assert_eq!((catalogue.placement, catalogue.tenure), (PlacementVersion(0), Tenure(0)));
    assert_eq!(catalogue.member(NodeId(17)).unwrap().state, MemberState::Up);
    let Some(Member { node, .. }) = catalogue.member(NodeId(17)).cloned() else { panic!() };
    let started = applied(&mut catalogue, &Command::StartNode { node, after: None });
    assert_eq!(started, Response::Started { incarnation: Incarnation(3), new_generation: true });
    applied(&mut catalogue, &start(2));
    assert_eq!(catalogue.placement, PlacementVersion(2));
}

#[test]
fn a_founding_of_release_0_1_is_read() {
    let command: Command = serde_json::from_str(FOUNDING).unwrap();
    let Command::Found(founding) = &command else { panic!("{command:?}") };
    assert_eq!(founding, &Founding::alone(5, 1, founding.node.clone()));
    applied(&mut Catalogue::default(), &command);
}
