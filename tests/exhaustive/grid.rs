//! The model: what can happen in a state, and what comes of it.

use stateright::{Model, Property};

use crate::{
    configuration::{Configuration, NODES, Place},
    properties,
    replica::{Phase, Replica, Role, Standing},
    scope::Scope,
    state::{Frame, Proposal, State, Step},
    variants::Variant,
};

/// How often one change is proposed at most.
const COPIES: u8 = 2;

/// Three nodes that hold one partition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(crate) scope: Scope,
    /// The rule that is not kept, if one is not.
    pub(crate) variant: Option<Variant>,
}

/// What can happen. Nodes are numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A node learns a configuration.
    Learn { node: usize, epoch: u8 },
    /// A frame arrives.
    Deliver { frame: Frame, node: usize },
    /// A primary that serves prepares the next entry.
    Write { node: usize },
    /// All leases that a node granted run out.
    WaitOut { node: usize },
    /// A primary proposes, or proposes again.
    Propose { node: usize, step: Step },
    /// A proposal takes effect.
    Apply { proposal: Proposal },
    /// A copy of a proposal takes none, and its proposer is told.
    Refuse { proposal: Proposal },
    /// A step of the supervisor's.
    Supervise(Supervision),
    /// A node loses everything.
    Crash { node: usize },
    /// The primary found another replica silent, and its proposal to remove it takes effect.
    Remove { node: usize },
    /// The control group finds a node silent; if it was primary, the heir takes over.
    Fail { node: usize, heir: Option<usize> },
    /// A node that crashed is recorded anew; if it was primary, the heir takes over.
    Start { node: usize, heir: Option<usize> },
}

/// What the supervisor decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Supervision {
    AddLearner(usize),
    Retire(usize),
    Appoint(usize),
    Promote(usize),
    /// A node that was taken to be down is heard.
    Welcome(usize),
}

impl Model for Grid {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::first(self)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.control.present().is_lost() {
            return;
        }
        for frame in &state.frames {
            let takers = (0..NODES).filter(|node| state.is_deliverable(frame, *node, self));
            actions.extend(takers.map(|node| Action::Deliver { frame: *frame, node }));
        }
        for (node, replica) in state.nodes.iter().enumerate() {
            match replica {
                Some(replica) => self.of_node(state, node, replica, actions),
                None => self.of_crashed(state, node, actions),
            }
            self.faults(state, node, actions);
        }
        self.of_control(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        self.perform(&mut state, action);
        state.settle(self);
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::of(self)
    }
}

impl Grid {
    fn of_node(&self, state: &State, node: usize, replica: &Replica, actions: &mut Vec<Action>) {
        let known = replica.configuration.epoch;
        let later = state.control.configurations.iter().filter(|held| held.epoch > known);
        actions.extend(later.map(|held| Action::Learn { node, epoch: held.epoch }));
        let Role::Primary(tenure) = &replica.role else { return };
        if matches!(tenure.phase, Phase::TakingOver { .. }) && state.is_bound(node) {
            actions.push(Action::WaitOut { node });
        }
        if state.left.writes > 0 && tenure.phase == Phase::Serving && state.serves(node, self) {
            actions.push(Action::Write { node });
        }
        if known == state.control.present().epoch {
            // A change that comes too late only keeps its proposer from serving for a while.
            self.proposals(node, replica, actions);
        }
    }

    fn proposals(&self, node: usize, replica: &Replica, actions: &mut Vec<Action>) {
        let Some(tenure) = replica.tenure() else { return };
        let mut propose = |step| actions.push(Action::Propose { node, step });
        let is_handing_over = matches!(tenure.phase, Phase::HandingOver { .. });
        for other in 0..NODES {
            let Some(peer) = tenure.peers[other] else { continue };
            let may = match peer.standing {
                Standing::Filled { is_heard } => {
                    let is_busy = tenure.is_one_joining() || is_handing_over;
                    !is_busy && is_heard && peer.lease.is_some() && peer.acked >= replica.committed
                }
                Standing::Proposed { open } => open < COPIES,
                Standing::InSync | Standing::Filling => false,
            };
            if may {
                propose(Step::Admit(other));
            }
        }
        let Some(heir) = replica.configuration.successor.map(usize::from) else { return };
        let has_all = replica.committed == replica.log.len()
            && tenure.peers[heir].is_some_and(|peer| peer.acked >= replica.log.len());
        let may = match tenure.phase {
            Phase::Serving => has_all && !tenure.is_one_joining(),
            Phase::HandingOver { open } => open < COPIES,
            Phase::TakingOver { .. } => false,
        };
        if may {
            propose(Step::HandOver(heir));
        }
    }

    /// Faults, and what follows from a crash for free.
    fn faults(&self, state: &State, node: usize, actions: &mut Vec<Action>) {
        let present = state.control.present();
        let has_crashed = state.nodes[node].is_none();
        let may_fail = state.left.faults > 0 || has_crashed;
        if !has_crashed
            && state.left.faults > 0
            && state.replica(node).is_some_and(|it| it.role != Role::Outside)
        {
            actions.push(Action::Crash { node });
        }
        if may_fail && state.control.up[node] && present.places[node] != Place::Nothing {
            let mut next = *present;
            next.silence(node, &self.scope);
            let fail = |heir| Action::Fail { node, heir };
            actions.extend(heirs(&next, &down(state, node)).into_iter().map(fail));
        }
        let is_removable = present.is_backup(node) || present.places[node] == Place::Learner;
        if may_fail && is_removable && state.has_primary_come() {
            actions.push(Action::Remove { node });
        }
    }

    fn of_crashed(&self, state: &State, node: usize, actions: &mut Vec<Action>) {
        let mut next = *state.control.present();
        if self.variant != Some(Variant::CountsRestarted) {
            next.forget(node);
        }
        let mut up = state.control.up;
        up[node] = true;
        actions.extend(heirs(&next, &up).into_iter().map(|heir| Action::Start { node, heir }));
    }

    fn of_control(&self, state: &State, actions: &mut Vec<Action>) {
        let control = &state.control;
        let present = control.present();
        for proposal in &control.proposals {
            let proposal = *proposal;
            if proposal.epoch == present.epoch && self.is_valid(state, proposal.step) {
                actions.push(Action::Apply { proposal });
            } else if proposal.copies > 0 {
                actions.push(Action::Refuse { proposal });
            }
        }
        let mut supervise = |step| actions.push(Action::Supervise(step));
        let (in_sync, learners) = (present.count(Place::InSync), present.count(Place::Learner));
        for node in 0..NODES {
            let is_up = control.up[node];
            let place = present.places[node];
            if !is_up && state.nodes[node].is_some() {
                supervise(Supervision::Welcome(node));
            }
            if place == Place::Nothing
                && is_up
                && state.nodes[node].is_some()
                && state.left.additions > 0
                && learners == 0
                && in_sync <= self.scope.wanted
                && control.is_primary_up()
            {
                supervise(Supervision::AddLearner(node));
            }
            if present.is_backup(node) && in_sync > self.scope.wanted && learners == 0 {
                supervise(Supervision::Retire(node));
            }
            if present.is_backup(node) && is_up && state.left.appointments > 0 && control.is_primary_up() {
                supervise(Supervision::Appoint(node));
            }
            let are_down = present.at(Place::InSync).all(|node| !control.up[node]);
            if place == Place::Eligible && is_up && are_down {
                supervise(Supervision::Promote(node));
            }
        }
    }

    fn is_valid(&self, state: &State, step: Step) -> bool {
        let control = &state.control;
        let present = control.present();
        match step {
            Step::Admit(node) => {
                let is_there = matches!(present.places[node], Place::Learner | Place::Eligible);
                is_there && control.is_primary_up() && control.up[node]
            }
            Step::HandOver(node) => {
                present.is_backup(node) && control.up[node] && present.successor == Some(node as u8)
            }
        }
    }

    fn perform(&self, state: &mut State, action: Action) {
        match action {
            Action::Learn { node, epoch } => {
                let mut held = state.control.configurations.iter();
                let Some(held) = held.find(|held| held.epoch == epoch).copied() else { return };
                if let Some(replica) = &mut state.nodes[node] {
                    replica.configure(node, held);
                }
            }
            Action::Deliver { frame, node } => state.deliver(&frame, node),
            Action::Write { node } => {
                state.left.writes -= 1;
                if let Some(replica) = &mut state.nodes[node] {
                    replica.log.push(replica.configuration.epoch);
                }
            }
            Action::WaitOut { node } => state.wait_out(node),
            Action::Propose { node, step } => self.propose(state, node, step),
            Action::Apply { proposal } => self.apply(state, proposal),
            Action::Refuse { proposal } => {
                end_copy(state, &proposal);
                if let Some(replica) = &mut state.nodes[proposal.by] {
                    replica.refused(&proposal, self.variant);
                }
            }
            Action::Supervise(step) => self.supervise(state, step),
            Action::Crash { node } => {
                state.left.faults -= 1;
                state.nodes[node] = None;
            }
            Action::Remove { node } => {
                state.left.faults -= u8::from(state.nodes[node].is_some());
                self.change(state, |next, scope| {
                    match next.places[node] {
                        Place::InSync => next.take_out(node, scope),
                        _ => next.places[node] = Place::Nothing,
                    }
                    true
                });
            }
            Action::Fail { node, heir } => {
                state.left.faults -= u8::from(state.nodes[node].is_some());
                state.control.up = down(state, node);
                self.change(state, |next, scope| {
                    let left = next.silence(node, scope);
                    left.then(|| heir.into_iter().for_each(|heir| next.promote(heir))).is_some()
                });
            }
            Action::Start { node, heir } => self.start(state, node, heir),
        }
    }

    fn propose(&self, state: &mut State, node: usize, step: Step) {
        if let Step::Admit(other) = step
            && state.is_first_proposal(node, other)
            && self.variant != Some(Variant::AdmitsUnheard)
        {
            state.outlast(node, other);
        }
        let Some(replica) = &mut state.nodes[node] else { return };
        let epoch = replica.configuration.epoch;
        let Some(tenure) = replica.tenure_mut() else { return };
        match step {
            Step::Admit(other) => {
                let Some(peer) = &mut tenure.peers[other] else { return };
                let open = if let Standing::Proposed { open } = peer.standing { open } else { 0 };
                peer.standing = Standing::Proposed { open: open + 1 };
            }
            Step::HandOver(_) => {
                let open = if let Phase::HandingOver { open } = tenure.phase { open } else { 0 };
                tenure.phase = Phase::HandingOver { open: open + 1 };
                tenure.has_begun = false;
            }
        }
        let mut proposals = state.control.proposals.iter_mut();
        match proposals.find(|held| held.epoch == epoch && held.by == node && held.step == step) {
            Some(held) => held.copies += 1,
            None => state.control.proposals.push(Proposal { epoch, by: node, step, copies: 1 }),
        }
    }

    fn start(&self, state: &mut State, node: usize, heir: Option<usize>) {
        state.control.up[node] = true;
        if self.variant == Some(Variant::CountsRestarted) {
            state.nodes[node] = Some(Replica::founded(node, *state.control.present()));
            return;
        }
        self.change(state, |next, _| {
            let held = next.forget(node);
            heir.into_iter().for_each(|heir| next.promote(heir));
            held
        });
        state.nodes[node] = Some(Replica::empty(node, *state.control.present()));
    }

    /// Begins the next epoch, if the step changes anything.
    fn change(&self, state: &mut State, step: impl FnOnce(&mut Configuration, &Scope) -> bool) {
        let mut next = *state.control.present();
        if step(&mut next, &self.scope) {
            next.begin_epoch();
            state.control.configurations.push(next);
        }
    }

    fn apply(&self, state: &mut State, proposal: Proposal) {
        end_copy(state, &proposal);
        let keeps_eligible = self.variant == Some(Variant::KeepsEligible);
        self.change(state, |next, scope| {
            match proposal.step {
                Step::Admit(node) => next.admit(node, scope, keeps_eligible),
                Step::HandOver(node) => {
                    next.primary = Some(node as u8);
                    next.handed_over = true;
                }
            }
            true
        });
    }

    fn supervise(&self, state: &mut State, step: Supervision) {
        match step {
            Supervision::Welcome(node) => state.control.up[node] = true,
            Supervision::AddLearner(node) => {
                state.left.additions -= 1;
                self.change(state, |next, _| {
                    next.add(node);
                    true
                });
            }
            Supervision::Retire(node) => self.change(state, |next, _| {
                next.places[node] = Place::Nothing;
                true
            }),
            Supervision::Appoint(node) => {
                state.left.appointments -= 1;
                self.change(state, |next, _| {
                    next.successor = Some(node as u8);
                    true
                });
            }
            Supervision::Promote(node) => {
                // The control group has waited out every lease that it granted to those in sync, and grants none.
                let in_sync: Vec<usize> = state.control.present().at(Place::InSync).collect();
                for holder in in_sync {
                    if let Some(tenure) = state.nodes[holder].as_mut().and_then(Replica::tenure_mut) {
                        tenure.control_lease = false;
                    }
                }
                self.change(state, |next, _| {
                    next.promote(node);
                    true
                });
            }
        }
    }
}

/// Who may take over, where somebody must.
fn heirs(next: &Configuration, up: &[bool; NODES]) -> Vec<Option<usize>> {
    if next.is_bereft() { next.heirs(up).into_iter().map(Some).collect() } else { vec![None] }
}

fn down(state: &State, node: usize) -> [bool; NODES] {
    let mut up = state.control.up;
    up[node] = false;
    up
}

/// One copy of a proposal has come to its end.
fn end_copy(state: &mut State, proposal: &Proposal) {
    if let Some(held) = state.control.proposals.iter_mut().find(|held| *held == proposal) {
        held.copies -= 1;
    }
}
