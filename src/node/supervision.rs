//! Runs the supervisor: beacons out, beacons in, what it decides carried out; and brings the workers to each placement.
//!
//! One task does both, because a grant of the control leader may be used only after the placement by which it was granted
//! (protocol rule 14): what this task posts to a worker first, the worker sees first.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval, sleep},
};

use super::{news::news, primaries::Primaries, shared::Shared, worker::Message};
use crate::{
    catalog::{
        Catalogue,
        supervisor::{Beacon, Effect, Grant, Input, Settings, Supervisor},
    },
    control::{Control, Leadership},
    net::{Lane, Peer},
    types::{Error, Incarnation, NodeId},
};

/// How often a node tells the others that it is there.
const BEACON_EVERY: Duration = Duration::from_millis(50);

/// How long a new control leader waits before it asks again for its confirmation.
const CONFIRM_PAUSE: Duration = Duration::from_millis(50);

/// What nodes tell each other unasked over the control lane.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Told {
    Beacon(Beacon),
    Grant(Grant),
}

/// The task and what it works with.
pub(super) struct Supervision {
    shared: Arc<Shared>,
    control: Arc<Control>,
    incarnation: Incarnation,
    supervisor: Supervisor,
    settings: Settings,
    /// Sends to [`inputs`](Self::inputs), for whoever carries something out.
    back: mpsc::UnboundedSender<Arrived>,
    inputs: mpsc::UnboundedReceiver<Arrived>,
    /// Granted by a placement that is not here yet.
    early: Option<Grant>,
    /// What the log has told of.
    told: Arc<Catalogue>,
    /// The leader that the log has told of.
    told_leader: Option<NodeId>,
    effects: Vec<Effect>,
}

/// Something for the task.
enum Arrived {
    Told(Told),
    Input(Input),
    /// What was asked of the control group on becoming its leader, in that term.
    Confirmed(u64),
}

impl Supervision {
    /// Listens to other nodes from now on.
    pub(super) fn new(shared: &Arc<Shared>, control: Arc<Control>, settings: Settings) -> Self {
        let (back, inputs) = mpsc::unbounded_channel();
        if let Some(net) = &shared.net {
            let told = back.clone();
            net.receive(Lane::Control, move |from: Peer, news: Told| {
                if news.is_of(from.node) {
                    // The task ends with the node.
                    let _ = told.send(Arrived::Told(news));
                }
            });
        }
        Supervision {
            supervisor: Supervisor::new(shared.me, settings),
            shared: shared.clone(),
            incarnation: control.started().incarnation,
            control,
            settings,
            back,
            inputs,
            early: None,
            told: Arc::default(),
            told_leader: None,
            effects: Vec::new(),
        }
    }

    /// Goes on until the node ends.
    pub(super) async fn run(mut self) {
        let mut catalogue = self.control.watch();
        let mut leadership = self.control.leadership();
        let mut beacons = interval(BEACON_EVERY);
        beacons.set_missed_tick_behavior(MissedTickBehavior::Delay);
        catalogue.mark_changed();
        leadership.mark_changed();
        loop {
            let until_due = self.until_due();
            tokio::select! {
                changed = catalogue.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let latest = catalogue.borrow_and_update().clone();
                    self.follow(latest);
                }
                changed = leadership.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let latest = *leadership.borrow_and_update();
                    self.lead(latest);
                }
                Some(arrived) = self.inputs.recv() => self.arrived(arrived, &leadership),
                _ = beacons.tick() => self.beacon(),
                () = sleep(until_due) => self.handle(Input::Tick),
            }
        }
    }

    fn until_due(&self) -> Duration {
        let due_us = self.supervisor.next_deadline();
        Duration::from_micros(due_us.saturating_sub(self.shared.clock.mono_us()))
    }

    /// The placement first, for what follows from it may be decided by it.
    fn follow(&mut self, catalogue: Arc<Catalogue>) {
        self.tell(&catalogue);
        if catalogue.placement > self.shared.primaries.load().placement() {
            self.shared.primaries.store(Arc::new(Primaries::of(&catalogue)));
            self.shared.broadcast(|| Message::Placement(catalogue.clone()));
            self.control.dial();
        }
        self.handle(Input::Catalogue(catalogue));
        if let Some(grant) = self.early.take() {
            self.take_grant(grant);
        }
    }

    /// Has the log tell what is new.
    fn tell(&mut self, catalogue: &Arc<Catalogue>) {
        let before = std::mem::replace(&mut self.told, catalogue.clone());
        for news in news(self.shared.me, &before, catalogue) {
            match news.is_bad() {
                true => tracing::warn!("{news}"),
                false => tracing::info!("{news}"),
            }
        }
    }

    /// Has the log tell who leads; that nobody does for a moment is no news.
    fn tell_leader(&mut self, leader: Option<NodeId>) {
        if leader.is_some() && self.told_leader != leader {
            self.told_leader = leader;
            let name = leader.and_then(|leader| Some(self.told.member(leader)?.node.name.clone()));
            tracing::info!("{} leads the control group", name.unwrap_or_else(|| "another node".to_owned()));
        }
    }

    /// A leader begins when the first entry of its term is applied, which a confirmation shows.
    fn lead(&mut self, latest: Leadership) {
        self.tell_leader(latest.leader);
        if !latest.is_me {
            return self.handle(Input::NotLeading);
        }
        let (control, back) = (self.control.clone(), self.back.clone());
        tokio::spawn(async move {
            while let Err(error) = control.confirm_quorum().await {
                tracing::debug!(%error, "the control leader is not confirmed yet");
                sleep(CONFIRM_PAUSE).await;
                // Another leader confirms itself.
                if *control.leadership().borrow() != latest {
                    return;
                }
            }
            let _ = back.send(Arrived::Confirmed(latest.term));
        });
    }

    fn arrived(&mut self, arrived: Arrived, leadership: &watch::Receiver<Leadership>) {
        match arrived {
            Arrived::Input(input) => self.handle(input),
            Arrived::Told(Told::Beacon(beacon)) => self.handle(Input::Beacon(beacon)),
            Arrived::Told(Told::Grant(grant)) => self.take_grant(grant),
            Arrived::Confirmed(term) => {
                let present = *leadership.borrow();
                if present.is_me && present.term == term {
                    self.handle(Input::Leading(self.control.catalogue()));
                }
            }
        }
    }

    /// Tells everybody that this node is there, itself included.
    fn beacon(&mut self) {
        let now = self.shared.clock.now();
        let (from, incarnation, sent_us) = (self.shared.me, self.incarnation, now.mono_us);
        let beacon = Beacon { from, incarnation, sent_us, hears_you: true };
        if let Some(net) = &self.shared.net {
            for member in self.control.catalogue().members() {
                let to = member.node.id;
                if to != from {
                    let hears_you = self.supervisor.hears(now, to);
                    net.send(to, Lane::Control, 0, &Told::Beacon(Beacon { hears_you, ..beacon }));
                }
            }
        }
        self.handle(Input::Beacon(beacon));
    }

    fn handle(&mut self, input: Input) {
        self.supervisor.handle(self.shared.clock.now(), input, &mut self.effects);
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            self.perform(effect);
        }
        self.effects = effects;
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Propose { proposal, command } => self.carry_out(async move |control| {
                let answer = control.propose_once(command).await.map_err(Error::from);
                Input::Outcome { proposal, answer, catalogue: control.catalogue() }
            }),
            Effect::Confirm { round } => self.carry_out(async move |control| {
                let confirmed = control.confirm_quorum().await.is_ok();
                Input::Confirmed { round, confirmed, catalogue: control.catalogue() }
            }),
            Effect::Grant(grant) if grant.to == self.shared.me => self.take_grant(grant),
            Effect::Grant(grant) => {
                if let Some(net) = &self.shared.net {
                    net.send(grant.to, Lane::Control, 0, &Told::Grant(grant));
                }
            }
        }
    }

    fn carry_out<F>(&self, what: impl FnOnce(Arc<Control>) -> F)
    where
        F: Future<Output = Input> + Send + 'static,
    {
        let (doing, back) = (what(self.control.clone()), self.back.clone());
        tokio::spawn(async move {
            // The task ends with the node.
            let _ = back.send(Arrived::Input(doing.await));
        });
    }

    /// A lease for what this node holds alone; for nothing else, and not before the placement is known by which it was
    /// granted.
    fn take_grant(&mut self, grant: Grant) {
        if grant.to != self.shared.me || grant.incarnation != self.incarnation {
            return;
        }
        if grant.placement > self.shared.primaries.load().placement() {
            self.early = Some(grant);
            return;
        }
        let until_us = grant.sent_us.saturating_add(self.settings.lease_us);
        self.shared.broadcast(|| Message::Lease { until_us });
    }
}

impl Told {
    /// Whether it may come from that node: nobody speaks for another.
    fn is_of(&self, node: NodeId) -> bool {
        match self {
            Told::Beacon(beacon) => beacon.from == node,
            Told::Grant(_) => true,
        }
    }
}
