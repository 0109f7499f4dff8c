//! One supervisor, that of node 1, and the catalogue that its proposals are applied to.

use std::sync::Arc;

use crate::{
    catalog::{
        Catalogue, Command, Founding, Node, Response,
        supervisor::{Beacon, Effect, Grant, Input, ProposalId, Settings, Supervisor},
    },
    types::{Incarnation, NodeId, Now, PlacementVersion, Result, Tenure},
};

pub(super) fn node(id: u64) -> Node {
    Node { id: NodeId(id), name: format!("n{id}"), address: String::new(), peer_address: String::new() }
}

/// A cluster founded by nodes 1, 2, ..
pub(super) fn cluster(nodes: u64, partition_count: u16, backup_count: u8, min_in_sync: u8) -> Catalogue {
    let mut catalogue = Catalogue::default();
    let others = (2..=nodes).map(node).collect();
    let founding =
        Founding { backup_count, min_in_sync, others, ..Founding::alone(7, partition_count, node(1)) };
    catalogue.apply(&Command::Found(founding)).unwrap();
    catalogue
}

pub(super) fn fail(node: u64) -> Command {
    Command::FailNode { node: NodeId(node), incarnation: Incarnation(1) }
}

pub(super) fn welcome(node: u64) -> Command {
    Command::ReturnNode { node: NodeId(node), incarnation: Incarnation(1) }
}

pub(super) struct Bench {
    pub(super) supervisor: Supervisor,
    pub(super) catalogue: Catalogue,
    pub(super) now_ms: u64,
    effects: Vec<Effect>,
}

impl Bench {
    /// Not leading yet; it has heard nobody.
    pub(super) fn new(catalogue: Catalogue) -> Self {
        let supervisor = Supervisor::new(NodeId(1), Settings::default());
        let mut bench = Bench { supervisor, catalogue, now_ms: 10_000, effects: Vec::new() };
        bench.publish();
        bench
    }

    /// Leading, with its tenure taken up and nothing else done.
    pub(super) fn leading(catalogue: Catalogue) -> Self {
        let mut bench = Bench::new(catalogue);
        bench.lead();
        let [(proposal, Command::Lead)] = bench.proposals()[..] else { panic!("no tenure is taken up") };
        bench.apply(proposal, &Command::Lead).unwrap();
        bench
    }

    pub(super) fn shared(&self) -> Arc<Catalogue> {
        Arc::new(self.catalogue.clone())
    }

    pub(super) fn input(&mut self, input: Input) {
        let now = Now { mono_us: self.now_ms * 1000, ..Now::default() };
        self.supervisor.handle(now, input, &mut self.effects);
    }

    pub(super) fn lead(&mut self) {
        self.input(Input::Leading(self.shared()));
    }

    pub(super) fn publish(&mut self) {
        self.input(Input::Catalogue(self.shared()));
    }

    /// Another has this command applied.
    pub(super) fn elsewhere(&mut self, command: &Command) {
        self.catalogue.apply(command).unwrap();
        self.publish();
    }

    /// Time passes in steps of 100 ms, at each of which these nodes are heard.
    pub(super) fn pass(&mut self, ms: u64, heard: &[u64]) {
        for _ in 0..ms / 100 {
            self.now_ms += 100;
            heard.iter().for_each(|node| self.beacon(*node));
            self.input(Input::Tick);
        }
    }

    pub(super) fn beacon(&mut self, node: u64) {
        self.beacon_of(node, 1);
    }

    /// A beacon that took 5 ms, by the clock of its sender, which is a second ahead.
    pub(super) fn beacon_of(&mut self, node: u64, incarnation: u64) {
        let sent_us = sent_us(self.now_ms);
        let incarnation = Incarnation(incarnation);
        let beacon = Beacon { from: NodeId(node), incarnation, sent_us, hears_you: true };
        self.input(Input::Beacon(beacon));
    }

    /// The same, of a node that does not hear this one.
    pub(super) fn deaf_beacon(&mut self, node: u64) {
        let (from, incarnation, sent_us) = (NodeId(node), Incarnation(1), sent_us(self.now_ms));
        self.input(Input::Beacon(Beacon { from, incarnation, sent_us, hears_you: false }));
    }

    pub(super) fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// The proposals made since; there must be no grants.
    pub(super) fn proposals(&mut self) -> Vec<(ProposalId, Command)> {
        let proposal = |effect| match effect {
            Effect::Propose { proposal, command } => Some((proposal, command)),
            Effect::Confirm { .. } => None,
            Effect::Grant(grant) => panic!("{grant:?}"),
        };
        self.effects().into_iter().filter_map(proposal).collect()
    }

    pub(super) fn commands(&mut self) -> Vec<Command> {
        self.proposals().into_iter().map(|(_, command)| command).collect()
    }

    /// The only proposal made since.
    pub(super) fn proposal(&mut self) -> (ProposalId, Command) {
        let mut proposals = self.proposals();
        assert_eq!(proposals.len(), 1, "{proposals:?}");
        proposals.remove(0)
    }

    /// A proposal is applied and its outcome is known.
    pub(super) fn apply(&mut self, proposal: ProposalId, command: &Command) -> Result<Response> {
        let answer = self.catalogue.apply(command);
        self.outcome(proposal, answer.clone());
        answer
    }

    pub(super) fn outcome(&mut self, proposal: ProposalId, answer: Result<Response>) {
        self.input(Input::Outcome { proposal, answer, catalogue: self.shared() });
    }

    pub(super) fn confirm(&mut self, round: u64, confirmed: bool) {
        self.input(Input::Confirmed { round, confirmed, catalogue: self.shared() });
    }

    /// The round of the only confirmation asked for since.
    pub(super) fn round(&mut self) -> u64 {
        let round = |effect| match effect {
            Effect::Confirm { round } => Some(round),
            _ => None,
        };
        let rounds: Vec<u64> = self.effects().into_iter().filter_map(round).collect();
        assert_eq!(rounds.len(), 1);
        rounds[0]
    }

    pub(super) fn grant(&self, to: u64, received_ms: u64) -> Effect {
        Effect::Grant(Grant {
            to: NodeId(to),
            incarnation: Incarnation(1),
            sent_us: sent_us(received_ms),
            placement: self.catalogue.placement,
        })
    }

    pub(super) fn placement(&self) -> (PlacementVersion, Tenure) {
        (self.catalogue.placement, self.catalogue.tenure)
    }
}

fn sent_us(received_ms: u64) -> u64 {
    (received_ms - 5 + 1000) * 1000
}
