//! The machine: what happened in, what to do out.

mod catalogue;
mod commit;
mod request;
mod rescore;
mod score;
mod time;

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Effect, Input, Limits, Log, View,
    acknowledgements::Acknowledgements,
    admission::Admission,
    debts::Debts,
    expiry::Expiry,
    identity::ByNumber,
    operation::{Operation, Scoring},
    sessions::Sessions,
    slots::{OpId, Slot, Slots},
    tail::Tail,
    tickets::Tickets,
};
use crate::{
    catalog::Configuration,
    store::{KeyHash, Reader, Record, Writer},
    types::{JoinId, MapId, Now, PartitionId, Position, Seq, Timestamp},
};

/// What a core is made with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The partition.
    pub partition: PartitionId,
    /// Who holds it.
    pub configuration: Configuration,
    /// Which of them this is.
    pub me: JoinId,
    /// What it may hold.
    pub limits: Limits,
    /// Decides the order of scans and nothing else.
    pub seed: u64,
}

/// One replica of one partition.
///
/// It starts empty, at catalogue version 0, and without a lease: hand it [`Input::Lease`] and [`Input::View`] first.
pub struct Core {
    partition: PartitionId,
    configuration: Configuration,
    me: JoinId,
    store: Writer,
    /// The catalogue as of the last prepared entry.
    view: Arc<View>,
    /// The last prepared entry's seq.
    seq: Seq,
    /// Partition time as of the last prepared entry.
    time: Timestamp,
    acknowledgements: Acknowledgements,
    tail: Tail,
    log: Log,
    sessions: Sessions,
    admission: Admission,
    slots: Slots,
    /// Operations that wait for a slot or for scores.
    standing: ByNumber<OpId, Standing>,
    next_op: u64,
    deadlines: BTreeSet<(u64, OpId)>,
    /// Operations that have got their slots.
    ready: Vec<OpId>,
    tickets: Tickets,
    debts: Debts,
    expiry: Expiry,
    /// What the clocks said last.
    now: Now,
}

/// An operation that could not be finished at once.
struct Standing {
    op: Operation,
    deadline_us: Option<u64>,
    /// None while it waits for its slot.
    scoring: Option<Scoring>,
}

impl Core {
    /// An empty replica.
    pub fn new(setup: Setup) -> Self {
        let Setup { partition, configuration, me, limits, seed } = setup;
        let Configuration { generation, epoch, .. } = configuration;
        let start = Position { generation, epoch, seq: Seq(0) };
        let in_sync = configuration.in_sync.iter().map(|replica| replica.join);
        Core {
            partition,
            me,
            store: Writer::new(me, epoch, seed),
            view: Arc::default(),
            seq: start.seq,
            time: Timestamp(i64::MIN),
            acknowledgements: Acknowledgements::new(in_sync, start.seq, limits.min_in_sync),
            tail: Tail::default(),
            log: Log::new(start, &limits),
            sessions: Sessions::new(&limits),
            admission: Admission::new(&limits),
            slots: Slots::default(),
            standing: ByNumber::default(),
            next_op: 1,
            deadlines: BTreeSet::new(),
            ready: Vec::new(),
            tickets: Tickets::new(epoch),
            debts: Debts::new(limits.rescoring),
            expiry: Expiry::default(),
            now: Now::default(),
            configuration,
        }
    }

    /// Takes one input; appends what is to be done, in order.
    pub fn handle(&mut self, now: Now, input: Input, effects: &mut Vec<Effect>) {
        self.now = now;
        match input {
            Input::Request(request) => self.handle_request(request, effects),
            Input::Scored { ticket, result } => self.handle_scored(ticket, result, effects),
            Input::View(view) => self.handle_view(view, effects),
            Input::Tick => self.handle_tick(effects),
            Input::Lease { until_us } => self.store.lease(until_us),
            Input::EndSession(session) => self.handle_end_session(session, effects),
            Input::Acknowledged { from, epoch, seq } => {
                if epoch == self.configuration.epoch {
                    self.acknowledgements.acknowledge(from, seq);
                    self.advance(effects);
                }
            }
        }
        self.run_ready(effects);
        if !self.debts.is_empty() {
            self.ask_for_debts(effects);
        }
    }

    /// The partition.
    pub fn partition(&self) -> PartitionId {
        self.partition
    }

    /// Reads committed rows while this tenure's lease lasts.
    pub fn reader(&self) -> Reader {
        self.store.reader()
    }

    /// The last committed entry's position.
    pub fn position(&self) -> Position {
        self.log.last()
    }

    /// The committed entries that are still kept.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The catalogue as decisions see it.
    pub fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// Operations between admission and reply.
    pub fn under_way(&self) -> usize {
        self.admission.ops()
    }

    /// The bytes that answers kept for retries hold, roughly.
    pub fn answer_bytes(&self) -> usize {
        self.sessions.bytes()
    }

    /// Stored rows that lack a score they should have.
    pub fn unscored(&self) -> usize {
        self.debts.len()
    }

    fn is_primary(&self) -> bool {
        self.configuration.primary == self.me
    }

    /// The row as decisions see it: committed, or prepared over it.
    fn current(&self, map: MapId, hash: KeyHash, key: &[u8]) -> Option<Record> {
        if !self.tail.is_empty()
            && let Some(prepared) = self.tail.find(Slot::of(map, hash), map, key)
        {
            return prepared.cloned();
        }
        self.store.find(map, hash, key)
    }

    /// Partition time if an entry were prepared now.
    fn partition_time(&self) -> Timestamp {
        self.time.max(self.now.wall)
    }
}
