//! What a supervisor is told, and what it decides.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Catalogue, Command, Response},
    types::{Incarnation, NodeId, PlacementVersion, Result},
};

/// Something that happened.
///
/// The catalogue that comes with an input is the one published *after* what the input reports: after the first entry
/// of the leader's term was applied, after the proposal was, after the quorum was confirmed.
#[derive(Clone, Debug)]
pub enum Input {
    /// A node is there. The leader's own beacons are to be handed over as well.
    Beacon(Beacon),
    /// The catalogue has changed.
    Catalogue(Arc<Catalogue>),
    /// This node leads the control group, and the first entry of its term is applied.
    Leading(Arc<Catalogue>),
    /// It does not any more.
    NotLeading,
    /// What became of an [`Effect::Propose`].
    Outcome {
        /// Which one.
        proposal: ProposalId,
        /// The answer of the catalogue. An error says that it may or may not have been applied, or will be.
        answer: Result<Response>,
        /// The catalogue since.
        catalogue: Arc<Catalogue>,
    },
    /// What became of an [`Effect::Confirm`].
    Confirmed {
        /// Which one.
        round: u64,
        /// Whether a quorum confirmed that this node leads.
        confirmed: bool,
        /// The catalogue since.
        catalogue: Arc<Catalogue>,
    },
    /// Some time has passed: see [`super::Supervisor::next_deadline`].
    Tick,
}

/// What every node sends to every other, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beacon {
    /// Who sent it.
    pub from: NodeId,
    /// Which start of that node it is from.
    pub incarnation: Incarnation,
    /// When it was sent, on the sender's clock.
    pub sent_us: u64,
    /// Whether the sender has heard the receiver lately. Who is heard and does not hear can follow no configuration: it counts
    /// as silent.
    pub hears_you: bool,
}

/// Names a proposal of one supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProposalId(pub u64);

/// Something to be done for the supervisor.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "effects are few, and carried out at once")]
pub enum Effect {
    /// Propose a command, and hand back its [`Input::Outcome`].
    Propose {
        /// Comes back with the outcome.
        proposal: ProposalId,
        /// The command.
        command: Command,
    },
    /// Have a quorum confirm that this node leads, beginning now, and hand back [`Input::Confirmed`].
    Confirm {
        /// Comes back with it.
        round: u64,
    },
    /// Grant a lease.
    Grant(Grant),
}

/// A lease for the partitions that a node holds alone, until [`Settings::lease_us`](super::Settings::lease_us) after
/// the beacon was sent.
///
/// The holder uses it if it has applied the placement, for those partitions that by the placement it has applied it
/// holds alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The holder.
    pub to: NodeId,
    /// The start of it that sent the beacon.
    pub incarnation: Incarnation,
    /// When it sent the beacon, on its clock.
    pub sent_us: u64,
    /// The placement by which it is granted.
    pub placement: PlacementVersion,
}
