//! What only a primary has, and a primary at work.

use std::{collections::BTreeSet, sync::Arc};

use super::commit::key_of;
use crate::{
    mutant::Mutant,
    partition::{
        Change, Effect, Input, View,
        admission::Admission,
        debts::Debts,
        expiry::{Due, Expiry},
        held::Held,
        identity::ByNumber,
        ledger::Ledger,
        operation::{Operation, Scoring},
        pending::{Pending, Waiting},
        replication::{Comparison, Peers, Phase},
        site::Site,
        slots::{OpId, Slot, Slots},
        tickets::Tickets,
    },
    store::{KeyHash, Record},
    types::{CatalogueVersion, MapId, Seq, Timestamp},
};

/// What a replica has while it is the primary, from one promotion to the end of it.
pub(in crate::partition) struct Tenure {
    pub(in crate::partition) phase: Phase,
    pub(in crate::partition) peers: Peers,
    /// When to ask for leases next.
    pub(in crate::partition) beacon_at_us: u64,
    /// The catalogue's version as of the last prepared entry.
    pub(in crate::partition) catalogue: CatalogueVersion,
    /// That catalogue, once this replica serves; before, an empty one.
    pub(in crate::partition) view: Arc<View>,
    /// The last prepared entry's seq.
    pub(super) seq: Seq,
    /// Partition time as of the last prepared entry.
    pub(super) time: Timestamp,
    pub(in crate::partition) pending: Pending,
    pub(in crate::partition) admission: Admission,
    pub(super) slots: Slots,
    /// Operations that wait for a slot or for scores.
    pub(in crate::partition) standing: ByNumber<OpId, Standing>,
    pub(super) next_op: u64,
    pub(super) deadlines: BTreeSet<(u64, OpId)>,
    /// Operations that have got their slots.
    pub(super) ready: Vec<OpId>,
    /// Inputs that wait for a hand-over.
    pub(in crate::partition) held: Held,
    /// Whether the others hold the same.
    pub(in crate::partition) comparison: Comparison,
    /// No hand-over is tried before.
    pub(in crate::partition) keeps_role_until_us: u64,
    pub(super) tickets: Tickets,
    pub(super) debts: Debts,
    pub(super) expiry: Expiry,
}

/// An operation that could not be finished at once.
pub(in crate::partition) struct Standing {
    pub(in crate::partition) op: Operation,
    pub(super) deadline_us: Option<u64>,
    /// None while it waits for its slot.
    pub(super) scoring: Option<Scoring>,
}

impl Tenure {
    /// A replica becomes the primary, with all that it has.
    pub(in crate::partition) fn begin(site: &Site, ledger: &mut Ledger) -> Self {
        let (epoch, committed) = (site.configuration.epoch, ledger.committed().seq);
        if Mutant::DropsTail.is_on() {
            ledger.tail.truncate(committed);
        }
        let upto = ledger.end().seq;
        ledger.store.begin_tenure(epoch);
        // The primary before has released its lease, or it lasts for as long as it was granted.
        let is_released = site.configuration.handed_over || Mutant::ServesBeforeLeaseEnds.is_on();
        let from_us = if is_released { 0 } else { site.granted_until_us };
        let mut tenure = Tenure {
            phase: Phase::TakingOver { from_us, upto },
            peers: Peers::new(&site.configuration, site.me, committed, site.limits.min_in_sync),
            beacon_at_us: site.now.mono_us,
            catalogue: ledger.log.catalogue().version,
            view: Arc::default(),
            seq: upto,
            time: ledger.tail.last().map_or(ledger.time, |entry| entry.time),
            pending: Pending::default(),
            admission: Admission::new(&site.limits),
            slots: Slots::default(),
            standing: ByNumber::default(),
            next_op: 1,
            deadlines: BTreeSet::new(),
            ready: Vec::new(),
            held: Held::default(),
            comparison: Comparison::new(site),
            keeps_role_until_us: 0,
            tickets: Tickets::new(epoch),
            debts: Debts::new(site.limits.rescoring),
            expiry: Expiry::default(),
        };
        tenure.read_rows(site, ledger);
        Primary { site, ledger, tenure: &mut tenure }.adopt_tail();
        tenure
    }

    /// Operations between admission and reply.
    pub(super) fn under_way(&self) -> usize {
        self.admission.ops()
    }

    /// Stored rows that lack a score they should have.
    pub(super) fn unscored(&self) -> usize {
        self.debts.len()
    }

    /// The marks in the rows are what is owed, and when rows expire (rule 23).
    fn read_rows(&mut self, site: &Site, ledger: &Ledger) {
        ledger.store.for_each(|map, record| {
            if !record.unscored() && record.expires_at().is_none() {
                return;
            }
            let Some(key) = key_of(record) else { return };
            if let Some(at) = record.expires_at().filter(|_| !Mutant::ForgetsExpiry.is_on()) {
                self.expiry.change(false, Some(Due { at, map, key: key.clone() }), |_| true);
            }
            if record.unscored() && !Mutant::ForgetsDebts.is_on() {
                self.debts.owe((map, key), record.row_version(), site.now.mono_us);
            }
        });
    }
}

/// A primary at work: what it is, what it holds, and what its role gives it.
pub(in crate::partition) struct Primary<'a> {
    pub(in crate::partition) site: &'a Site,
    pub(in crate::partition) ledger: &'a mut Ledger,
    pub(in crate::partition) tenure: &'a mut Tenure,
}

impl Primary<'_> {
    /// Takes an input that is the primary's to take.
    pub(super) fn handle(&mut self, input: Input, effects: &mut Vec<Effect>) {
        // Whatever comes first once a takeover may go on: the deadline that it set is over then.
        self.take_over(effects);
        if self.is_undecided() {
            self.hold(input, effects);
        } else {
            self.decide(input, effects);
        }
        if !self.tenure.debts.is_empty() && self.is_serving() {
            self.ask_for_debts(effects);
        }
    }

    /// Does what the input asks for.
    pub(in crate::partition) fn decide(&mut self, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Request(request) => self.handle_request(request, effects),
            Input::Scored { ticket, result } => self.handle_scored(ticket, result, effects),
            Input::Job(batch) => self.handle_job(batch, effects),
            Input::EndSession(session) if self.is_serving() => self.end_session(session, effects),
            Input::EndSession(session) => self.ledger.sessions.leave(session),
            Input::Tick => self.handle_tick(effects),
            Input::View(_) => self.cut_over(effects),
            Input::Lease { .. } => self.renew_lease(),
            Input::Refused { epoch, join } => self.handle_refusal(epoch, join, effects),
            Input::Configuration(_) | Input::Frame(_) => {}
        }
        self.run_ready(effects);
    }

    pub(in crate::partition) fn is_serving(&self) -> bool {
        self.tenure.phase == Phase::Serving
    }

    pub(in crate::partition) fn is_handing_over(&self) -> bool {
        matches!(self.tenure.phase, Phase::HandingOver(_))
    }

    /// Whether what comes is to wait: for the outcome of a hand-over, or for this primary to serve after one.
    fn is_undecided(&self) -> bool {
        match self.tenure.phase {
            Phase::Serving => false,
            Phase::TakingOver { .. } => self.site.configuration.handed_over,
            Phase::HandingOver(_) => true,
        }
    }

    /// What was prepared under a primary before is as good as prepared here. Its requests are known by the time any are
    /// admitted: it is committed by then.
    fn adopt_tail(&mut self) {
        let entries: Vec<_> = self.ledger.tail.iter().cloned().collect();
        for entry in entries {
            for change in &entry.changes {
                if let Change::Catalogue(catalogue) = change {
                    self.tenure.catalogue = catalogue.version;
                }
                self.note_debt(change);
            }
            let store = &self.ledger.store;
            self.tenure.pending.push(&entry, Waiting::default(), |key| store.hash(key));
        }
    }

    /// The row as decisions see it: committed, or prepared over it.
    pub(super) fn current(&self, map: MapId, hash: KeyHash, key: &[u8]) -> Option<Record> {
        if !self.ledger.tail.is_empty()
            && !Mutant::DecidesOverCommitted.is_on()
            && let Some(prepared) = self.tenure.pending.find(&self.ledger.tail, Slot::of(map, hash), map, key)
        {
            return prepared.cloned();
        }
        let stored = self.ledger.store.find(map, hash, key);
        let is_hidden = |row: &Record| row.expires_at().is_some_and(|at| at <= self.site.now.wall);
        stored.filter(|row| !(Mutant::HidesByClock.is_on() && is_hidden(row)))
    }

    /// Partition time if an entry were prepared now.
    pub(super) fn partition_time(&self) -> Timestamp {
        if Mutant::TimeGoesBack.is_on() {
            return self.site.now.wall;
        }
        self.tenure.time.max(self.site.now.wall)
    }
}
