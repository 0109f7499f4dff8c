//! PURE: what a node says in its log of changes in the cluster.

use std::fmt;

use crate::{
    catalog::{Catalogue, Configuration, Node},
    types::NodeId,
};

/// What has changed between two catalogues, as far as an operator wants to know.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News<'a> {
    /// A node has become a member.
    Joined(&'a Node),
    /// A member was silent for too long.
    Down(&'a Node),
    /// A member has ended in good order.
    Left(&'a Node),
    /// A member is heard again.
    Up(&'a Node),
    /// So many partitions have their primary on this node from now on, which nobody has handed to it.
    Took(usize),
    /// So many partitions are lost.
    Lost(usize),
}

impl News<'_> {
    /// Whether an operator should look after it.
    pub(super) fn is_bad(&self) -> bool {
        matches!(self, News::Down(_) | News::Lost(_))
    }
}

impl fmt::Display for News<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            News::Joined(node) => write!(f, "{} ({:016x}) has joined the cluster", node.name, node.id.0),
            News::Down(node) => {
                write!(f, "{} ({:016x}) is down: it was not heard in time", node.name, node.id.0)
            }
            News::Left(node) => write!(f, "{} ({:016x}) has left: it was drained", node.name, node.id.0),
            News::Up(node) => write!(f, "{} ({:016x}) is up again", node.name, node.id.0),
            News::Took(partitions) => write!(f, "this node is the primary of {partitions} more partitions"),
            News::Lost(partitions) => write!(
                f,
                "{partitions} partitions are lost: nobody has their rows; `embergrid cluster reset-lost` begins them anew"
            ),
        }
    }
}

/// What is new to the node `me`. Of a cluster that it did not know before, nothing is.
pub(super) fn news<'a>(me: NodeId, before: &Catalogue, after: &'a Catalogue) -> Vec<News<'a>> {
    if !before.is_founded() {
        return Vec::new();
    }
    let mut news = Vec::new();
    for member in after.members() {
        let was_up = before.member(member.node.id).map(|before| before.is_up());
        news.extend(match (was_up, member.is_up()) {
            (None, _) => Some(News::Joined(&member.node)),
            (Some(true), false) if after.has_left(member) => Some(News::Left(&member.node)),
            (Some(true), false) => Some(News::Down(&member.node)),
            (Some(false), true) => Some(News::Up(&member.node)),
            (Some(_), _) => None,
        });
    }
    let begun = |is: &dyn Fn(&Configuration) -> bool| {
        let pairs = before.configurations().iter().zip(after.configurations());
        pairs.filter(|(before, after)| !is(before) && is(after)).count()
    };
    // What is handed over from hand to hand is nothing to tell.
    let took = begun(&|held| held.primary_node() == Some(me) && !held.handed_over);
    let lost = begun(&Configuration::is_lost);
    news.extend((took > 0).then_some(News::Took(took)));
    news.extend((lost > 0).then_some(News::Lost(lost)));
    news
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{Command, Founding},
        node::Burden,
        types::Incarnation,
    };

    fn node(id: u64) -> Node {
        Node { id: NodeId(id), name: format!("n{id}"), address: "a:1".into(), peer_address: "a:2".into() }
    }

    fn after(catalogue: &Catalogue, command: Command) -> Catalogue {
        let mut after = catalogue.clone();
        after.apply(&command).expect("a command that fits");
        after
    }

    fn led_by(node: NodeId, catalogue: &Catalogue) -> usize {
        let led = Burden::of(node, catalogue).primaries;
        assert!(led > 0);
        led
    }

    #[test]
    fn what_only_a_restarted_node_had_is_lost() {
        let alone = Founding { backup_count: 0, ..Founding::alone(9, 3, node(1)) };
        let founding = Founding { others: vec![node(2)], ..alone };
        let founded = after(&Catalogue::default(), Command::Found(founding));
        let theirs = led_by(NodeId(2), &founded);
        let again = Command::StartNode { node: node(2), after: Some(Incarnation(1)) };
        let restarted = after(&founded, again);
        assert_eq!(news(NodeId(1), &founded, &restarted), [News::Lost(theirs)]);
        assert!(News::Lost(theirs).is_bad());
    }

    #[test]
    fn a_node_that_was_drained_has_left() {
        let founding = Founding { others: vec![node(2)], ..Founding::alone(9, 3, node(1)) };
        let founded = after(&Catalogue::default(), Command::Found(founding));
        let drain = Command::DrainNode { node: NodeId(2), incarnation: Incarnation(1) };
        let draining = after(&founded, drain);
        assert_eq!(news(NodeId(1), &founded, &draining), []);
        let fail = Command::FailNode { node: NodeId(2), incarnation: Incarnation(1) };
        let left = after(&draining, fail);
        assert_eq!(news(NodeId(3), &draining, &left), [News::Left(&node(2))]);
        assert!(!News::Left(&node(2)).is_bad());
    }

    #[test]
    fn nodes_come_and_go_and_partitions_with_them() {
        let founding = Founding { others: vec![node(2)], ..Founding::alone(9, 3, node(1)) };
        let founded = after(&Catalogue::default(), Command::Found(founding));
        assert_eq!(news(NodeId(1), &Catalogue::default(), &founded), []);

        let theirs = led_by(NodeId(2), &founded);
        let fail = Command::FailNode { node: NodeId(2), incarnation: Incarnation(1) };
        let failed = after(&founded, fail);
        assert_eq!(news(NodeId(1), &founded, &failed), [News::Down(&node(2)), News::Took(theirs)]);
        assert!(News::Down(&node(2)).is_bad());

        let back = Command::ReturnNode { node: NodeId(2), incarnation: Incarnation(1) };
        let returned = after(&failed, back);
        assert_eq!(news(NodeId(1), &failed, &returned), [News::Up(&node(2))]);

        let joined = after(&returned, Command::StartNode { node: node(3), after: None });
        assert_eq!(news(NodeId(1), &returned, &joined), [News::Joined(&node(3))]);
    }
}
