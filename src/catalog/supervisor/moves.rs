//! What is moved so that the nodes carry as much as each other, and those that are draining nothing.

use super::{View, room::Room};
use crate::{
    catalog::{Configuration, ConfigurationChange},
    topology::Move,
    types::NodeId,
};

/// The moves to begin now, and those to go on with or to end: so many that no more are under way in the cluster, or with a
/// node, than may be. What is missing is filled first, and nothing is copied beside it.
pub(super) fn due(view: &View<'_>, room: &mut Room) -> Vec<ConfigurationChange> {
    let catalogue = view.picture.catalogue();
    let wanted = catalogue.replicas_wanted();
    let under_way = catalogue.configurations().iter().filter(|held| held.is_moving(wanted)).count();
    let mut left = view.settings.moves.saturating_sub(under_way);
    let mut changes = Vec::new();
    for (partition, to) in view.picture.moves() {
        let Some(held) = catalogue.configuration(*partition) else { continue };
        let ends = matches!(to, Move::Drop(_));
        // A role may have to be handed over before the replica can go that is one too many: that is no other move.
        let goes_on = held.is_moving(wanted);
        let waits = matches!(to, Move::Add(_)) && !view.picture.lacking.is_empty();
        if waits || !(ends || ((goes_on || left > 0) && has_room(view, room, held, *to))) {
            continue;
        }
        let Some(step) = held.step(*to) else { continue };
        left = left.saturating_sub(usize::from(!goes_on));
        changes.push(held.change(*partition, step));
    }
    changes
}

fn has_room(view: &View<'_>, room: &mut Room, held: &Configuration, to: Move) -> bool {
    let (Move::Add(to) | Move::HandOver(to) | Move::Drop(to)) = to;
    let is_present = |node: &NodeId| view.present.contains(node);
    let from = held.primary_node().filter(is_present);
    from.is_some_and(|from| is_present(&to) && room.take(from, to))
}
