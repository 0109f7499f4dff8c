//! A machine: its clocks go on, whatever becomes of the process on it.

use embergrid::types::{Incarnation, NodeId};

use super::clock::Clock;
use super::host::Host;

/// One machine.
pub(crate) struct Machine {
    pub(crate) node: NodeId,
    pub(crate) clock: Clock,
    /// Whether its node belongs to the cluster, or is about to join.
    pub(crate) is_member: bool,
    /// Whether the process runs; its node may have yet to start.
    pub(crate) is_on: bool,
    /// Counts the processes.
    pub(crate) life: u64,
    /// The process stands still until then.
    pub(crate) paused_until_us: u64,
    pub(crate) host: Option<Host>,
    /// How much of the control log is applied here. It survives the process.
    pub(crate) applied: usize,
    pub(crate) is_work_due: bool,
    /// For when the worker, and the supervisor, are to be woken.
    pub(crate) wake_us: Option<u64>,
    pub(crate) tick_us: Option<u64>,
}

impl Machine {
    pub(crate) fn new(node: NodeId, clock: Clock) -> Self {
        Machine {
            node,
            clock,
            is_member: true,
            is_on: true,
            life: 1,
            paused_until_us: 0,
            host: None,
            applied: 0,
            is_work_due: false,
            wake_us: None,
            tick_us: None,
        }
    }

    /// One whose node may join later.
    pub(crate) fn spare(node: NodeId, clock: Clock) -> Self {
        Machine { is_member: false, is_on: false, ..Machine::new(node, clock) }
    }

    pub(crate) fn is_running(&self, now_us: u64) -> bool {
        self.is_on && self.paused_until_us <= now_us
    }

    pub(crate) fn incarnation(&self) -> Option<Incarnation> {
        self.host.as_ref().map(|host| host.setup.incarnation)
    }

    /// The process ends, and with it everything but the clocks and the disk.
    pub(crate) fn crash(&mut self) {
        self.is_on = false;
        self.host = None;
        self.paused_until_us = 0;
        self.is_work_due = false;
        self.wake_us = None;
        self.tick_us = None;
    }
}
