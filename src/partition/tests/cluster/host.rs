//! A host: a clock of its own, and at most one replica.

use std::sync::Arc;

use super::super::bench::WALL;
use crate::{
    catalog::Configuration,
    partition::{Core, Effect, Input, Limits, Setup, Timing, View},
    store::Reader,
    types::{Generation, JoinId, NodeId, Now, PartitionId, Timestamp},
};

pub(crate) struct Host {
    pub(crate) node: NodeId,
    pub(crate) core: Option<Core>,
    me: JoinId,
    /// How many configurations there were when it heard of one last.
    pub(crate) known: usize,
    /// Every reader that it ever had of its present replica.
    pub(crate) readers: Vec<Reader>,
    /// The catalogue as far as it knows.
    pub(crate) view: Option<Arc<View>>,
    pub(crate) limits: Limits,
    /// Its clock goes so much faster, in millionths.
    pub(crate) drift: i64,
    /// And began so much earlier.
    pub(crate) ahead_us: u64,
    /// The time of day is off by so much.
    pub(crate) skew_ms: i64,
}

impl Host {
    pub(crate) fn new(node: NodeId, min_in_sync: usize) -> Self {
        Host {
            node,
            core: None,
            me: JoinId(0),
            known: 0,
            readers: Vec::new(),
            view: None,
            limits: Limits { min_in_sync, ..Limits::default() },
            drift: 0,
            ahead_us: 0,
            skew_ms: 0,
        }
    }

    pub(crate) fn mono_us(&self, now_us: u64) -> u64 {
        let drift_us = now_us as i64 * self.drift / 1_000_000;
        (self.ahead_us + now_us).saturating_add_signed(drift_us)
    }

    fn now(&self, now_us: u64) -> Now {
        let wall = Timestamp(WALL + now_us as i64 / 1_000 + self.skew_ms);
        Now { mono_us: self.mono_us(now_us), wall }
    }

    pub(crate) fn handle(&mut self, now_us: u64, input: Input, effects: &mut Vec<Effect>) {
        let now = self.now(now_us);
        if let Input::View(view) = &input {
            self.view = Some(view.clone());
        }
        if let Some(core) = &mut self.core {
            core.handle(now, input, effects);
        }
    }

    pub(crate) fn flush(&mut self, now_us: u64, effects: &mut Vec<Effect>) {
        let now = self.now(now_us);
        if let Some(core) = &mut self.core {
            core.flush(now, effects);
        }
    }

    pub(crate) fn is_due(&self, now_us: u64) -> bool {
        let due_us = self.core.as_ref().and_then(Core::next_deadline);
        due_us.is_some_and(|due_us| due_us <= self.mono_us(now_us))
    }

    pub(crate) fn configure(
        &mut self,
        now_us: u64,
        known: usize,
        configuration: &Arc<Configuration>,
        view: &Arc<View>,
        effects: &mut Vec<Effect>,
    ) {
        if known <= self.known {
            return;
        }
        self.known = known;
        self.handle(now_us, Input::Configuration(configuration.clone()), effects);
        if let Some(replica) = configuration.replica_at(self.node)
            && replica.join != self.me
        {
            self.begin(now_us, replica.join, configuration, view, effects);
        }
        self.readers.extend(self.core.as_ref().map(Core::reader));
    }

    fn begin(
        &mut self,
        now_us: u64,
        me: JoinId,
        configuration: &Arc<Configuration>,
        view: &Arc<View>,
        effects: &mut Vec<Effect>,
    ) {
        self.me = me;
        self.readers.clear();
        self.core = Some(Core::new(Setup {
            partition: PartitionId(0),
            configuration: configuration.clone(),
            me,
            limits: self.limits,
            timing: Timing::default(),
            seed: self.node.0,
        }));
        let view = self.view.get_or_insert_with(|| view.clone()).clone();
        self.handle(now_us, Input::View(view), effects);
    }

    /// The process ends: everything is gone.
    pub(crate) fn crash(&mut self) {
        self.core = None;
        self.me = JoinId(0);
        self.readers.clear();
    }

    pub(crate) fn generation(&self) -> Option<Generation> {
        self.core.as_ref().map(|core| core.configuration().generation)
    }
}
