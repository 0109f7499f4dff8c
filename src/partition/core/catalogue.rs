//! Metadata takes effect: one cut-over, in the partition's own order.

use std::sync::Arc;

use smallvec::smallvec;

use super::{Primary, Standing, commit::Draft};
use crate::{
    mutant::Mutant,
    partition::{Change, Effect, slots::OpId},
    types::{MapId, SessionId},
};

impl Primary<'_> {
    /// Cuts over to the latest version that the node has. Writes that wait for scores of another binding or model than
    /// from now on are scored anew: an entry after the cut-over never holds a score from before it. A new primary cuts over
    /// when it serves.
    pub(in crate::partition) fn cut_over(&mut self, effects: &mut Vec<Effect>) {
        let view = self.site.latest.clone();
        let is_behind = view.version < self.tenure.catalogue && !Mutant::CutsBack.is_on();
        if !self.is_serving() || is_behind {
            return;
        }
        let before = std::mem::replace(&mut self.tenure.view, view.clone());
        if view.version == self.tenure.catalogue {
            // A primary before has cut over to it.
            return;
        }
        self.tenure.catalogue = view.version;
        // Without the first entry there would be no maps to write to.
        if before.maps.is_empty() || !Mutant::CutsOverSilently.is_on() {
            let changes = smallvec![Change::Catalogue(Arc::new(view.cutover()))];
            self.prepare(Draft { changes, ..Draft::default() }, effects);
        }
        let is_kept = |map: MapId| view.maps.contains_key(&map);
        let is_changed = |map: MapId| match (before.maps.get(&map), view.maps.get(&map)) {
            (Some(before), Some(after)) => !after.scores_like(before),
            (None, None) => false,
            _ => true,
        };
        for gathering in self.tenure.debts.reconsider(self.site.now.mono_us, is_kept, is_changed) {
            self.tenure.tickets.cancel(&gathering);
        }
        let scoring = self.tenure.standing.iter().filter(|(_, standing)| standing.scoring.is_some());
        let affected = scoring.filter(|(_, standing)| is_changed(standing.op.request.map));
        let affected = affected.filter(|_| !Mutant::KeepsScoresAtCutover.is_on());
        let mut affected: Vec<OpId> = affected.map(|(id, _)| *id).collect();
        affected.sort_unstable();
        for id in affected {
            if let Some(Standing { op, .. }) = self.unstand(id) {
                self.start(op, Some(id), effects);
            }
        }
    }

    /// Ends the sessions of which was heard while no entry could say so.
    pub(in crate::partition) fn end_sessions(&mut self, effects: &mut Vec<Effect>) {
        for session in self.ledger.sessions.leaving() {
            self.end_session(session, effects);
        }
    }

    pub(super) fn end_session(&mut self, session: SessionId, effects: &mut Vec<Effect>) {
        let changes = smallvec![Change::EndSession(session)];
        self.prepare(Draft { changes, ..Draft::default() }, effects);
    }
}
