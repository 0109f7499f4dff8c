//! What primaries ask the control group for: batched, each sent once, and refusals handed back.

use std::sync::{Arc, Weak};

use tokio::sync::mpsc;

use super::{shared::Shared, worker::Message};
use crate::{
    catalog::{Command, ConfigurationChange, MAX_CONFIGURATION_CHANGES, Response, Step},
    control::{Control, Unanswered},
    partition::Proposal,
    types::{Epoch, Generation, PartitionId},
};

/// A change that a primary asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proposed {
    pub(super) partition: PartitionId,
    pub(super) generation: Generation,
    pub(super) epoch: Epoch,
    pub(super) change: Proposal,
}

impl Proposed {
    fn change(&self) -> ConfigurationChange {
        let step = match self.change {
            Proposal::Admit { join } => Step::Admit { join },
            Proposal::Remove { join } => Step::Remove { join },
        };
        let Proposed { partition, generation, epoch, .. } = *self;
        ConfigurationChange { partition, generation, epoch, step }
    }
}

/// Proposes what the primaries of this node ask for. What comes while a proposal is under way goes into the next one, so
/// that one command removes a node that hangs from all its partitions.
pub(super) async fn run(
    shared: Weak<Shared>,
    control: Arc<Control>,
    mut asked: mpsc::UnboundedReceiver<Proposed>,
) {
    let mut batch = Vec::new();
    while asked.recv_many(&mut batch, MAX_CONFIGURATION_CHANGES).await > 0 {
        let changes = batch.iter().map(Proposed::change).collect();
        let refused: Vec<bool> = match control.propose_once(Command::Configure(changes)).await {
            Ok(Response::Configured(outcomes)) => outcomes.iter().map(Result::is_err).collect(),
            Ok(other) => {
                tracing::error!(?other, "the control group answered something else than configurations");
                Vec::new()
            }
            Err(Unanswered::NotTaken(error)) => {
                tracing::debug!(%error, "changes of configurations were not taken");
                vec![true; batch.len()]
            }
            // The primaries learn it from the epoch, or ask again.
            Err(Unanswered::Unknown(error)) => {
                tracing::debug!(%error, "changes of configurations have an unknown outcome");
                Vec::new()
            }
        };
        let Some(shared) = shared.upgrade() else { return };
        for (proposed, is_refused) in batch.drain(..).zip(refused) {
            if let (true, Proposal::Admit { join }) = (is_refused, proposed.change) {
                let Proposed { partition, epoch, .. } = proposed;
                shared.post(partition, Message::Refused { partition, epoch, join });
            }
        }
        batch.clear();
    }
}
