//! Whose turn it is on a key.
//!
//! An operation asks for all its slots at once and runs when it is first in every queue. Queues are joined in one
//! step, so they all agree on who came first, and nobody waits in a circle.

use smallvec::SmallVec;

use super::identity::ByNumber;
use crate::{store::KeyHash, types::MapId};

/// One operation that takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct OpId(pub(super) u64);

/// A key of a map, by hash. Two keys that collide share a slot and wait for each other, which is harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Slot(u64);

/// The slots of one operation.
pub(super) type SlotList = SmallVec<[Slot; 1]>;

impl Slot {
    pub(super) fn of(map: MapId, hash: KeyHash) -> Slot {
        Slot(hash.number() ^ u64::from(map.0).wrapping_mul(0xD6E8_FEB8_6659_FD93))
    }
}

#[derive(Debug, Default)]
pub(super) struct Slots {
    /// Who waits for a slot; the first one holds it. No queue is empty.
    queues: ByNumber<Slot, SmallVec<[OpId; 2]>>,
    asked: ByNumber<OpId, SlotList>,
}

impl Slots {
    /// Whether nobody holds the slot.
    pub(super) fn is_free(&self, slot: Slot) -> bool {
        self.queues.is_empty() || !self.queues.contains_key(&slot)
    }

    /// Joins the queues of all these slots. True if the operation now holds them.
    pub(super) fn take(&mut self, op: OpId, slots: SlotList) -> bool {
        for slot in &slots {
            let queue = self.queues.entry(*slot).or_default();
            if !queue.contains(&op) {
                queue.push(op);
            }
        }
        let holds = self.holds(op, &slots);
        self.asked.insert(op, slots);
        holds
    }

    /// Leaves all queues, whether the operation held its slots or waited. Who holds all its slots only now is
    /// added to `ready`, in order of arrival.
    pub(super) fn release(&mut self, op: OpId, ready: &mut Vec<OpId>) {
        let Some(slots) = self.asked.remove(&op) else { return };
        let mut heads: SmallVec<[OpId; 2]> = SmallVec::new();
        for slot in slots {
            let Some(queue) = self.queues.get_mut(&slot) else { continue };
            let was_first = queue.first() == Some(&op);
            queue.retain(|waiting| *waiting != op);
            match queue.first() {
                None => drop(self.queues.remove(&slot)),
                Some(next) if was_first => heads.push(*next),
                Some(_) => {}
            }
        }
        heads.sort_unstable();
        heads.dedup();
        ready.extend(heads.into_iter().filter(|head| {
            let slots = self.asked.get(head);
            slots.is_some_and(|slots| self.holds(*head, slots))
        }));
    }

    fn holds(&self, op: OpId, slots: &[Slot]) -> bool {
        slots.iter().all(|slot| self.queues.get(slot).and_then(|queue| queue.first()) == Some(&op))
    }
}

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;

    const A: Slot = Slot(1);
    const B: Slot = Slot(2);
    const C: Slot = Slot(3);
    const NOBODY: [u64; 0] = [];

    fn released(slots: &mut Slots, op: u64) -> Vec<u64> {
        let mut ready = Vec::new();
        slots.release(OpId(op), &mut ready);
        ready.into_iter().map(|op| op.0).collect()
    }

    #[test]
    fn one_key_is_first_in_first_out() {
        let mut slots = Slots::default();
        assert!(slots.is_free(A));
        assert!(slots.take(OpId(1), smallvec![A]));
        assert!(!slots.take(OpId(2), smallvec![A]));
        assert!(!slots.take(OpId(3), smallvec![A]));
        assert!(!slots.is_free(A));
        assert_eq!(released(&mut slots, 1), [2]);
        assert_eq!(released(&mut slots, 2), [3]);
        assert_eq!(released(&mut slots, 3), NOBODY);
        assert!(slots.is_free(A));
    }

    #[test]
    fn keys_do_not_block_each_other() {
        let mut slots = Slots::default();
        assert!(slots.take(OpId(1), smallvec![A]));
        assert!(slots.is_free(B));
        assert!(slots.take(OpId(2), smallvec![B]));
    }

    #[test]
    fn several_slots_are_held_at_once_or_not_at_all() {
        let mut slots = Slots::default();
        assert!(slots.take(OpId(1), smallvec![A]));
        assert!(!slots.take(OpId(2), smallvec![A, B]));
        // B is promised to 2, which came first.
        assert!(!slots.take(OpId(3), smallvec![B]));
        assert!(!slots.take(OpId(4), smallvec![C, B]));
        assert_eq!(released(&mut slots, 1), [2]);
        assert_eq!(released(&mut slots, 2), [3]);
        assert_eq!(released(&mut slots, 3), [4]);
    }

    #[test]
    fn who_gives_up_waiting_leaves_the_queue() {
        let mut slots = Slots::default();
        assert!(slots.take(OpId(1), smallvec![A]));
        assert!(!slots.take(OpId(2), smallvec![A]));
        assert!(!slots.take(OpId(3), smallvec![A]));
        assert_eq!(released(&mut slots, 2), NOBODY);
        assert_eq!(released(&mut slots, 1), [3]);
    }
}
