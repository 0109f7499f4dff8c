//! Metadata takes effect: one cut-over, in the partition's own order.

use std::sync::Arc;

use smallvec::smallvec;

use super::{Core, Standing, commit::Draft};
use crate::{
    partition::{Change, Effect, View, slots::OpId},
    types::{MapId, SessionId},
};

impl Core {
    /// Cuts over to a later version. Writes that wait for scores of another binding or model than from now on are
    /// scored anew: an entry after the cut-over never holds a score from before it.
    pub(super) fn handle_view(&mut self, view: Arc<View>, effects: &mut Vec<Effect>) {
        if !self.is_primary() || view.version <= self.view.version {
            return;
        }
        let before = std::mem::replace(&mut self.view, view.clone());
        self.prepare(
            Draft { changes: smallvec![Change::Catalogue(view.clone())], ..Draft::default() },
            effects,
        );
        let is_kept = |map: MapId| view.maps.contains_key(&map);
        let is_changed = |map: MapId| match (before.maps.get(&map), view.maps.get(&map)) {
            (Some(before), Some(after)) => !after.scores_like(before),
            (None, None) => false,
            _ => true,
        };
        for gathering in self.debts.reconsider(self.now.mono_us, is_kept, is_changed) {
            self.tickets.cancel(&gathering);
        }
        let scoring = self.standing.iter().filter(|(_, standing)| standing.scoring.is_some());
        let affected = scoring.filter(|(_, standing)| is_changed(standing.op.request.map));
        let mut affected: Vec<OpId> = affected.map(|(id, _)| *id).collect();
        affected.sort_unstable();
        for id in affected {
            if let Some(Standing { op, .. }) = self.unstand(id) {
                self.start(op, Some(id), effects);
            }
        }
    }

    pub(super) fn handle_end_session(&mut self, session: SessionId, effects: &mut Vec<Effect>) {
        if self.is_primary() {
            self.sessions.end(session);
            let changes = smallvec![Change::EndSession(session)];
            self.prepare(Draft { changes, ..Draft::default() }, effects);
        }
    }
}
