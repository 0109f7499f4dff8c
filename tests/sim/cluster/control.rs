//! The control group: one ordered log of commands, and a leader who adds to it. A command is taken by the leader and is
//! applied when a majority has it; if another leader comes first, it is applied late or never, and whoever proposed it
//! does not learn which. Nodes apply the log each at its own pace.

use std::collections::BTreeMap;
use std::sync::Arc;

use embergrid::catalog::supervisor::ProposalId;
use embergrid::catalog::{Catalogue, Command, Response};
use embergrid::partition::View;
use embergrid::types::{CatalogueVersion, Error, Incarnation, NodeId};

use crate::dice::Dice;

/// Who waits for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    Supervisor(NodeId, Incarnation, ProposalId),
    /// The primaries of a node, which ask together.
    Primaries(NodeId, Incarnation),
    /// A node that wants ids for sessions.
    Sessions(NodeId, Incarnation),
    /// A node that starts, and which process on its machine that is.
    Start(NodeId, u64),
    /// Nobody who would do anything about it.
    Operator,
}

impl Asker {
    pub(crate) fn node(self) -> Option<NodeId> {
        match self {
            Asker::Supervisor(node, ..)
            | Asker::Primaries(node, _)
            | Asker::Sessions(node, _)
            | Asker::Start(node, _) => Some(node),
            Asker::Operator => None,
        }
    }
}

/// A command, and who proposes it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) by: Asker,
    pub(crate) command: Command,
}

/// What becomes of a proposal.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// It is applied; what the catalogue made of it.
    Applied(Result<Response, Error>),
    /// It will never be.
    NotTaken,
    /// Nobody knows.
    Unknown,
}

/// A command is applied.
pub(crate) struct Applied {
    pub(crate) asked: Asked,
    pub(crate) answer: Result<Response, Error>,
    /// How long the log is with it.
    pub(crate) index: usize,
}

/// The control group.
pub(crate) struct Control {
    /// The catalogue after so many commands.
    states: Vec<Arc<Catalogue>>,
    views: BTreeMap<CatalogueVersion, Arc<View>>,
    pub(crate) term: u64,
    pub(crate) leader: Option<NodeId>,
    /// Taken by the present leader, and not applied yet.
    taken: BTreeMap<u64, Asked>,
    next: u64,
    /// Since when nobody leads who could.
    pub(crate) leaderless_since_us: Option<u64>,
}

impl Control {
    /// A log that begins with these commands, none of which is refused.
    pub(crate) fn new(commands: &[Command]) -> Self {
        let mut control = Control {
            states: vec![Arc::default()],
            views: BTreeMap::new(),
            term: 0,
            leader: None,
            taken: BTreeMap::new(),
            next: 0,
            leaderless_since_us: Some(0),
        };
        for command in commands {
            control.apply(command).1.expect("the commands of the birth are sound");
        }
        control
    }

    /// How long the log is.
    pub(crate) fn index(&self) -> usize {
        self.states.len() - 1
    }

    pub(crate) fn state(&self, index: usize) -> &Arc<Catalogue> {
        &self.states[index]
    }

    pub(crate) fn latest(&self) -> &Arc<Catalogue> {
        self.state(self.index())
    }

    /// What partitions see of a catalogue.
    pub(crate) fn view(&mut self, catalogue: &Catalogue) -> Arc<View> {
        let view = self.views.entry(catalogue.version);
        view.or_insert_with(|| Arc::new(View::compile(catalogue).unwrap())).clone()
    }

    fn apply(&mut self, command: &Command) -> (usize, Result<Response, Error>) {
        let mut next = Catalogue::clone(self.latest());
        let answer = next.apply(command);
        self.states.push(Arc::new(next));
        (self.index(), answer)
    }

    /// The leader takes a proposal; its number.
    pub(crate) fn take(&mut self, asked: Asked) -> u64 {
        self.next += 1;
        self.taken.insert(self.next, asked);
        self.next
    }

    /// A majority has what was taken under that number.
    pub(crate) fn commit(&mut self, number: u64) -> Option<Applied> {
        let asked = self.taken.remove(&number)?;
        let (index, answer) = self.apply(&asked.command);
        Some(Applied { asked, answer, index })
    }

    /// Whether a proposal is taken and not applied.
    pub(crate) fn is_open(&self, number: u64) -> bool {
        self.taken.contains_key(&number)
    }

    /// Another leader begins: with some of what the one before had taken, and without the rest.
    pub(crate) fn elect(&mut self, dice: &mut Dice, leader: NodeId) -> (Vec<Applied>, Vec<Asked>) {
        self.term += 1;
        self.leader = Some(leader);
        self.leaderless_since_us = None;
        let (mut applied, mut gone) = (Vec::new(), Vec::new());
        for (_, asked) in std::mem::take(&mut self.taken) {
            if dice.percent(50) {
                let (index, answer) = self.apply(&asked.command);
                applied.push(Applied { asked, answer, index });
            } else {
                gone.push(asked);
            }
        }
        (applied, gone)
    }
}
