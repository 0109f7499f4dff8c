//! What a primary sends when a tick is over, and what it makes of the answers.

use std::sync::Arc;

use super::{Body, Standing, Verdict};
use crate::{
    mutant::Mutant,
    partition::{Effect, Entry, core::Primary, ledger::Ledger},
    types::{Epoch, JoinId, Position, Seq},
};

/// A frame holds at most so many entries.
const ENTRIES_A_FRAME: usize = 1_024;
/// A frame that holds so many bytes takes no further entry.
const BYTES_A_FRAME: usize = 1 << 20;
/// Entries on their way to one replica at most.
const ON_THEIR_WAY: u64 = 16_384;

impl Primary<'_> {
    /// Sends what the tick prepared, what was not acknowledged in time, and beacons; proposes what is due.
    pub(in crate::partition) fn flush(&mut self, effects: &mut Vec<Effect>) {
        if self.tenure.peers.all.is_empty() {
            return;
        }
        self.propose_changes(effects);
        self.hand_over(effects);
        for index in 0..self.tenure.peers.all.len() {
            self.tenure.peers.all[index].repeat(self.site.now.mono_us);
            self.send_entries(index, effects);
            self.send_part(index, effects);
        }
        self.beacon(effects);
        self.compare(effects);
        self.ledger.log.hold(self.tenure.peers.learners_need_after());
    }

    fn send_entries(&mut self, index: usize, effects: &mut Vec<Effect>) {
        let (committed, end) = (self.ledger.committed().seq, self.ledger.end().seq);
        while let Some(peer) = self.tenure.peers.all.get_mut(index)
            && peer.follows()
            && (peer.is_asked || peer.sent < end)
            && peer.sent.0 - peer.acked.0 < if peer.is_doubtful() { 1 } else { ON_THEIR_WAY }
        {
            let Some((prev, entries)) = next_entries(self.ledger, peer.sent) else {
                // The log does not reach back so far: only a learner can be so late.
                return self.give_up(index, effects);
            };
            let upto = Seq(prev.seq.0 + entries.len() as u64);
            peer.note_sent(upto, self.site.now.mono_us, &self.site.timing);
            self.site.send(peer.replica, Body::Prepare { prev, entries, committed }, effects);
        }
    }

    fn send_part(&mut self, index: usize, effects: &mut Vec<Effect>) {
        let peer = &mut self.tenure.peers.all[index];
        let Standing::Filling(sender) = &mut peer.standing else { return };
        let (now_us, retry_us) = (self.site.now.mono_us, self.site.timing.retry_us);
        if let Some(part) = sender.poll(self.ledger, peer.sent, now_us, retry_us) {
            let body = Body::Fill { fill: sender.fill(), number: sender.number(), part };
            self.site.send(peer.replica, body, effects);
        }
    }

    /// Takes what another replica says.
    pub(in crate::partition) fn handle_answer(
        &mut self,
        from: JoinId,
        body: Body,
        effects: &mut Vec<Effect>,
    ) {
        let now_us = self.site.now.mono_us;
        let end = self.ledger.end().seq;
        let Some(peer) = self.tenure.peers.find(from) else { return };
        match body {
            Body::Prepared { upto } if peer.follows() && upto <= end => {
                peer.acknowledge(upto, now_us);
                self.advance(effects);
            }
            Body::Behind { .. } if peer.follows() => {
                peer.is_behind();
                if peer.lease_until_us <= now_us {
                    // It has just heard of this epoch: what it was asked before, it took for somebody else's.
                    self.tenure.beacon_at_us = now_us;
                }
            }
            Body::Lease { sent_us } if sent_us <= now_us => {
                let from_us = if Mutant::LeasesFromAnswer.is_on() { now_us } else { sent_us };
                peer.grant(from_us, &self.site.timing);
                self.renew_lease();
            }
            Body::Filled { fill, number, verdict } => {
                self.handle_filled(from, fill, number, verdict, effects)
            }
            Body::Checksum { at, checksum } => self.handle_checksum(from, at, checksum, effects),
            _ => {}
        }
    }

    fn handle_filled(
        &mut self,
        from: JoinId,
        fill: Epoch,
        number: u32,
        verdict: Verdict,
        effects: &mut Vec<Effect>,
    ) {
        let (now_us, longest_us) = (self.site.now.mono_us, self.site.timing.failure_us);
        let mut peers = self.tenure.peers.all.iter();
        let Some(index) = peers.position(|peer| peer.replica.join == from) else { return };
        let peer = &mut self.tenure.peers.all[index];
        let Standing::Filling(sender) = &mut peer.standing else { return };
        if sender.fill() != fill || sender.number() != number {
            return;
        }
        match verdict {
            Verdict::Taken => {
                let is_last = sender.taken(self.ledger, now_us, longest_us) || Mutant::AdmitsUnfilled.is_on();
                let pinned = sender.pinned.filter(|_| number == 0);
                if is_last {
                    peer.standing = Standing::Filled { rest_until_us: 0 };
                }
                if let Some(pinned) = pinned {
                    peer.begin(pinned.seq);
                }
            }
            Verdict::Missed => sender.missed(),
            Verdict::Differs => self.give_up(index, effects),
        }
    }
}

/// What goes into the frame after `seq`: the position there, and what follows. None if that is gone.
fn next_entries(ledger: &Ledger, seq: Seq) -> Option<(Position, Vec<Arc<Entry>>)> {
    let (mut entries, mut bytes) = (Vec::new(), 0);
    for entry in ledger.after(seq)?.take(ENTRIES_A_FRAME) {
        if bytes >= BYTES_A_FRAME {
            break;
        }
        bytes += entry.payload();
        entries.push(entry.clone());
    }
    Some((ledger.position_at(seq)?, entries))
}
