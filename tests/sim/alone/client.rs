//! Sessions: numbered requests, several outstanding, each repeated until it is answered.

use std::collections::BTreeMap;

use embergrid::partition::{Op, Origin, PutMode, Request, Ttl, View};
use embergrid::types::{Key, RequestId, RowVersion, SessionId};

use crate::dice::Dice;
use crate::grid;

const KEYS: u64 = 4;
/// Answers that a partition keeps for one session.
pub(crate) const WINDOW: u64 = 6;

/// One session.
pub(crate) struct Client {
    session: SessionId,
    next: u64,
    last: u64,
    /// Unanswered, by number.
    pub(crate) outstanding: BTreeMap<u64, Request>,
    /// Versions it has seen, for conditions.
    seen: Vec<RowVersion>,
}

impl Client {
    pub(crate) fn new(session: u64, requests: u64) -> Self {
        let outstanding = BTreeMap::new();
        Self { session: SessionId(session), next: 1, last: requests, outstanding, seen: vec![RowVersion(1)] }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.next > self.last && self.outstanding.is_empty()
    }

    /// Below it, all is answered.
    fn watermark(&self) -> u64 {
        self.outstanding.keys().next().copied().unwrap_or(self.next)
    }

    /// Asks for something new, if anything is left to ask for. Numbers stay within the window of answers that are kept, else
    /// the lowest unanswered one might never be admitted.
    pub(crate) fn ask(&mut self, dice: &mut Dice, view: &View, now_us: u64) -> Option<Request> {
        if self.next > self.last || self.next >= self.watermark() + WINDOW {
            return None;
        }
        let number = self.next;
        let map = grid::map_id(view, dice.one_of(&[grid::PLAIN, grid::STRICT, grid::LENIENT]));
        let value = grid::value(view, map, dice.below(1_000) as i64).into();
        let ttl = dice.percent(20).then(|| Ttl { ms: dice.between(1, 60) });
        let version = dice.one_of(&self.seen);
        let op = match dice.below(10) {
            0 => Op::Remove { expected: None, want_old: true },
            1 => Op::Remove { expected: Some(version), want_old: false },
            2 => Op::SetTtl { ttl },
            kind => {
                let modes =
                    [PutMode::Always, PutMode::IfAbsent, PutMode::IfPresent, PutMode::IfVersion(version)];
                Op::Put { value, mode: modes[kind as usize % 4], want_old: dice.percent(50), ttl }
            }
        };
        let request = Request {
            origin: Origin { connection: self.session.0 as u32, tag: number },
            id: Some(RequestId { session: self.session, number }),
            acknowledged_below: self.watermark(),
            map,
            key: Key::from(dice.below(KEYS) as i64),
            op,
            deadline_us: dice.percent(10).then(|| now_us + dice.between(500, 20_000)),
        };
        self.next += 1;
        self.outstanding.insert(number, request.clone());
        Some(request)
    }

    /// The same request again, if it is unanswered still.
    pub(crate) fn again(&self, number: u64) -> Option<Request> {
        let request = self.outstanding.get(&number)?;
        Some(Request { acknowledged_below: self.watermark(), ..request.clone() })
    }

    pub(crate) fn answered(&mut self, number: u64, version: Option<RowVersion>) {
        self.outstanding.remove(&number);
        self.seen.extend(version);
        if self.seen.len() > 8 {
            self.seen.remove(0);
        }
    }
}
