//! What a control leader keeps, and the order in which it decides.

use std::collections::BTreeSet;

use super::{
    Effect, ProposalId, Settings, View, fills,
    grants::Grants,
    moves, promotions,
    proposals::{Kind, Proposals},
    room::Room,
};
use crate::{
    catalog::{Command, Member, Response},
    mutant::Mutant,
    types::{NodeId, PartitionId, Result, Tenure},
};

/// One leadership of this node.
#[derive(Debug)]
pub(super) struct Leadership {
    since_us: u64,
    /// None until it is taken up, and while something that it proposed may be applied or not.
    tenure: Option<Held>,
    proposals: Proposals,
    grants: Grants,
    /// Nodes whose partitions are being given to others: they get no lease meanwhile.
    moving: BTreeSet<NodeId>,
}

/// The tenure of this leader.
#[derive(Clone, Copy, Debug)]
struct Held {
    tenure: Tenure,
    /// Not before it was applied: every grant of those before is over one longest grant later.
    since_us: u64,
}

impl Held {
    /// Whether every grant of the tenures before is over.
    fn is_free_to_move(self, view: &View<'_>) -> bool {
        self.since_us.saturating_add(view.settings.grant_us) <= view.now_us
            || Mutant::LeadsWithoutWaiting.is_on()
    }
}

impl Leadership {
    pub(super) fn new(now_us: u64) -> Self {
        Leadership {
            since_us: now_us,
            tenure: None,
            proposals: Proposals::default(),
            grants: Grants::default(),
            moving: BTreeSet::new(),
        }
    }

    pub(super) fn since_us(&self) -> u64 {
        self.since_us
    }

    pub(super) fn handle_outcome(
        &mut self,
        now_us: u64,
        proposal: ProposalId,
        answer: Result<Response>,
        settings: &Settings,
    ) {
        let Some(kind) = self.proposals.land(proposal) else { return };
        let is_refused = match answer {
            Ok(Response::Leads { tenure }) => {
                self.tenure = Some(Held { tenure, since_us: now_us });
                false
            }
            Ok(Response::Configured(outcomes)) => {
                self.moving.clear();
                outcomes.iter().any(Result::is_err)
            }
            Ok(_) => false,
            Err(_) => {
                self.lose_sight(kind);
                true
            }
        };
        if is_refused {
            self.proposals.pause(kind, now_us.saturating_add(settings.retry_us));
        }
    }

    /// It is not known whether a proposal will be applied. One that moves a sole holder must not be, once that one is
    /// granted leases again: a new tenure makes it void.
    fn lose_sight(&mut self, kind: Kind) {
        if kind == Kind::Configure && !self.moving.is_empty() {
            self.moving.clear();
            self.tenure = None;
        }
    }

    pub(super) fn handle_confirmed(
        &mut self,
        view: &View<'_>,
        round: u64,
        confirmed: bool,
        effects: &mut Vec<Effect>,
    ) {
        let beacons = self.grants.confirmed(view, round, confirmed);
        if self.present_tenure(view).is_none() {
            return;
        }
        for received in beacons {
            let from = received.beacon.from;
            let stands = view.picture.catalogue().member(from).is_some_and(|member| {
                member.incarnation == received.beacon.incarnation && view.picture.sole.contains(&from)
            });
            if stands && (!self.moving.contains(&from) || Mutant::GrantsWhileMoving.is_on()) {
                self.grants.grant(view, &received, effects);
            }
        }
    }

    /// The tenure held, if no other has begun since.
    fn present_tenure(&self, view: &View<'_>) -> Option<Held> {
        self.tenure.filter(|held| held.tenure == view.picture.catalogue().tenure)
    }

    /// Decides all there is to decide.
    pub(super) fn act(&mut self, view: &View<'_>, next: &mut u64, effects: &mut Vec<Effect>) {
        for kind in self.proposals.give_up(view.now_us) {
            self.lose_sight(kind);
        }
        self.take_up(view, next, effects);
        self.fail_one(view, next, effects);
        self.welcome_one(view, next, effects);
        self.configure(view, next, effects);
        if self.present_tenure(view).is_some() {
            self.grants.ask(view, &self.moving, next, effects);
        }
    }

    fn take_up(&mut self, view: &View<'_>, next: &mut u64, effects: &mut Vec<Effect>) {
        if self.present_tenure(view).is_none() {
            self.propose(Kind::Lead, view, next, effects, |_| Some(Command::Lead));
        }
    }

    fn fail_one(&mut self, view: &View<'_>, next: &mut u64, effects: &mut Vec<Effect>) {
        self.propose(Kind::Fail, view, next, effects, |_| {
            let mut others = view.picture.others_up(view.me);
            let silent = others.find(|member| !view.present.contains(&member.node.id))?;
            Some(Command::FailNode { node: silent.node.id, incarnation: silent.incarnation })
        });
    }

    fn welcome_one(&mut self, view: &View<'_>, next: &mut u64, effects: &mut Vec<Effect>) {
        let is_back = |member: &&Member| {
            !member.is_up() && (member.node.id == view.me || view.ages.is_steady(view.now_us, member))
        };
        self.propose(Kind::Return, view, next, effects, |_| {
            let back = view.picture.catalogue().members().find(is_back)?;
            Some(Command::ReturnNode { node: back.node.id, incarnation: back.incarnation })
        });
    }

    fn configure(&mut self, view: &View<'_>, next: &mut u64, effects: &mut Vec<Effect>) {
        let held = self.present_tenure(view);
        self.propose(Kind::Configure, view, next, effects, |leadership| {
            let mut changes = match held {
                Some(held) if held.is_free_to_move(view) => {
                    promotions::due(view, held.tenure, &leadership.grants, &mut leadership.moving)
                }
                _ => Vec::new(),
            };
            let mut room = Room::of(view);
            changes.extend(fills::due(view, &mut room));
            let changed: BTreeSet<PartitionId> = changes.iter().map(|change| change.partition).collect();
            let moves = moves::due(view, &mut room);
            changes.extend(moves.into_iter().filter(|change| !changed.contains(&change.partition)));
            (!changes.is_empty()).then_some(Command::Configure(changes))
        });
    }

    fn propose(
        &mut self,
        kind: Kind,
        view: &View<'_>,
        next: &mut u64,
        effects: &mut Vec<Effect>,
        command: impl FnOnce(&mut Self) -> Option<Command>,
    ) {
        if self.proposals.is_free(kind, view.now_us)
            && let Some(command) = command(self)
        {
            self.proposals.propose(kind, command, (view.now_us, view.settings, next), effects);
        }
    }
}
