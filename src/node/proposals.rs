//! What primaries ask the control group for: batched, each sent once, and refusals handed back.
//!
//! A primary asks again while it has no answer. Where answers take long, the same change is asked for many times by the
//! time that a proposal is made: it is proposed once all the same, for the longer the entry of the log, the longer the
//! next answer takes.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use tokio::{sync::mpsc, task::JoinSet};

use super::{shared::Shared, worker::Message};
use crate::{
    catalog::{Catalogue, Command, ConfigurationChange, MAX_CONFIGURATION_CHANGES, Response},
    control::{Control, Unanswered},
    partition::Proposal,
    types::{Epoch, Generation, PartitionId},
};

/// Proposals that may be under way at one time.
const UNDER_WAY: usize = 4;

/// A change that a primary asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Proposed {
    pub(super) partition: PartitionId,
    pub(super) generation: Generation,
    pub(super) epoch: Epoch,
    pub(super) change: Proposal,
}

impl Proposed {
    fn change(&self) -> ConfigurationChange {
        let Proposed { partition, generation, epoch, change } = *self;
        ConfigurationChange { partition, generation, epoch, step: change.step() }
    }

    /// Whether the partition has moved on: the change will never take effect, and its primary learns why.
    fn is_past(&self, catalogue: &Catalogue) -> bool {
        catalogue
            .configuration(self.partition)
            .is_some_and(|present| (self.generation, self.epoch) < (present.generation, present.epoch))
    }
}

/// Changes to propose, each once, and how often each was asked for.
#[derive(Debug, Default)]
struct Batch {
    changes: Vec<Proposed>,
    copies: HashMap<Proposed, usize>,
}

impl Batch {
    fn of(asked: impl IntoIterator<Item = Proposed>, catalogue: &Catalogue) -> Self {
        let mut batch = Batch::default();
        for proposed in asked {
            if proposed.is_past(catalogue) {
                continue;
            }
            let copies = batch.copies.entry(proposed).or_default();
            *copies += 1;
            if *copies == 1 {
                batch.changes.push(proposed);
            }
        }
        batch
    }

    /// The command, unless nothing is left to propose.
    fn command(&self) -> Option<Command> {
        (!self.changes.is_empty())
            .then(|| Command::Configure(self.changes.iter().map(Proposed::change).collect()))
    }

    /// Those of which it is known that they will not take effect, as often as each was asked for.
    fn refused(&self, refused: impl IntoIterator<Item = bool>) -> impl Iterator<Item = Proposed> {
        let refused = self.changes.iter().zip(refused).filter(|(_, is_refused)| *is_refused);
        refused.flat_map(move |(proposed, _)| {
            let copies = self.copies.get(proposed).copied().unwrap_or_default();
            std::iter::repeat_n(*proposed, copies)
        })
    }
}

/// Proposes what the primaries of this node ask for. Whoever hands over serves nobody until it is decided, and so does not
/// wait for what was proposed before; what comes while all proposals are under way that may be goes into the next one, so
/// that a few commands remove a node that hangs from all its partitions.
pub(super) async fn run(
    shared: Weak<Shared>,
    control: Arc<Control>,
    mut asked: mpsc::UnboundedReceiver<Proposed>,
) {
    let (mut waiting, mut under_way) = (Vec::new(), JoinSet::new());
    loop {
        tokio::select! {
            count = asked.recv_many(&mut waiting, MAX_CONFIGURATION_CHANGES), if under_way.len() < UNDER_WAY => {
                if count == 0 {
                    return;
                }
                let batch = Batch::of(waiting.drain(..), &control.catalogue());
                if let Some(command) = batch.command() {
                    under_way.spawn(propose(shared.clone(), control.clone(), batch, command));
                }
            }
            Some(_) = under_way.join_next() => {}
        }
    }
}

/// Proposes one batch, and hands its refusals back.
async fn propose(shared: Weak<Shared>, control: Arc<Control>, batch: Batch, command: Command) {
    let begun_us = shared.upgrade().map(|shared| shared.clock.mono_us());
    let refused: Vec<bool> = match control.propose_once(command).await {
        Ok(Response::Configured(outcomes)) => {
            note_commit(&shared, begun_us);
            outcomes.iter().map(Result::is_err).collect()
        }
        Ok(other) => {
            tracing::error!(?other, "the control group answered something else than configurations");
            Vec::new()
        }
        Err(Unanswered::NotTaken(error)) => {
            tracing::debug!(%error, "changes of configurations were not taken");
            vec![true; batch.changes.len()]
        }
        // The primaries learn it from the epoch, or ask again.
        Err(Unanswered::Unknown(error)) => {
            tracing::debug!(%error, "changes of configurations have an unknown outcome");
            Vec::new()
        }
    };
    let Some(shared) = shared.upgrade() else { return };
    for proposed in batch.refused(refused) {
        if let Proposal::Admit { join } | Proposal::HandOver { join } = proposed.change {
            let Proposed { partition, epoch, .. } = proposed;
            shared.post(partition, Message::Refused { partition, epoch, join });
        }
    }
}

/// The node must not live on for what is measured of it.
fn note_commit(shared: &Weak<Shared>, begun_us: Option<u64>) {
    if let (Some(shared), Some(begun_us)) = (shared.upgrade(), begun_us) {
        shared.metrics.control_committed(shared.clock.mono_us().saturating_sub(begun_us));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{Founding, Node},
        types::{JoinId, NodeId},
    };

    fn asked(partition: u16, epoch: u64, change: Proposal) -> Proposed {
        Proposed { partition: PartitionId(partition), generation: Generation(1), epoch: Epoch(epoch), change }
    }

    fn admit(join: u64) -> Proposal {
        Proposal::Admit { join: JoinId(join) }
    }

    fn remove(join: u64) -> Proposal {
        Proposal::Remove { join: JoinId(join) }
    }

    #[test]
    fn what_is_asked_for_again_is_proposed_once_and_refused_as_often_as_it_was_asked_for() {
        let all =
            [asked(1, 1, remove(7)), asked(2, 1, admit(8)), asked(1, 1, remove(7)), asked(2, 1, admit(8))];
        let batch = Batch::of(all.into_iter().chain([asked(2, 1, admit(9))]), &Catalogue::default());
        assert_eq!(batch.changes, [asked(1, 1, remove(7)), asked(2, 1, admit(8)), asked(2, 1, admit(9))]);
        assert!(matches!(batch.command(), Some(Command::Configure(changes)) if changes.len() == 3));
        let refused: Vec<Proposed> = batch.refused([false, true, false]).collect();
        assert_eq!(refused, [asked(2, 1, admit(8)), asked(2, 1, admit(8))]);
        assert_eq!(batch.refused([]).count(), 0);
    }

    #[test]
    fn what_the_partition_has_left_behind_is_not_proposed() {
        let mut catalogue = Catalogue::default();
        let node =
            Node { id: NodeId(1), name: "n1".into(), address: String::new(), peer_address: String::new() };
        catalogue.apply(&Command::Found(Founding::alone(9, 1, node))).unwrap();
        let present = catalogue.configurations()[0].epoch.0;
        let all =
            [asked(0, present - 1, admit(8)), asked(0, present, admit(8)), asked(0, present + 1, admit(8))];
        let batch = Batch::of(all, &catalogue);
        assert_eq!(batch.changes, [asked(0, present, admit(8)), asked(0, present + 1, admit(8))]);
        assert!(Batch::of([asked(0, present - 1, admit(8))], &catalogue).command().is_none());
    }
}
