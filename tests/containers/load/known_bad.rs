//! The oracles are shown histories that must not be, and some that may: one that finds nothing ever would say nothing.

use std::collections::BTreeMap;

use embergrid::client::EventKind;
use embergrid::partition::{Op, Outcome, PutMode};
use embergrid::types::{Key, RowVersion};

use super::book::Judgement;
use super::feed::{Expected, Feed};
use super::payments::Payments;
use super::{appends, counters, registers, scored};

/// Lost, stale, twice, wrong scores, gaps, and what was told twice.
type Counts = [u64; 6];

const KEPT: Counts = [0; 6];
const LOST: Counts = [1, 0, 0, 0, 0, 0];
const STALE: Counts = [0, 1, 0, 0, 0, 0];
const TWICE: Counts = [0, 0, 1, 0, 0, 0];
const WRONG_SCORE: Counts = [0, 0, 0, 1, 0, 0];
const GAP: Counts = [0, 0, 0, 0, 1, 0];
const TOLD_TWICE: Counts = [0, 0, 0, 0, 0, 1];

/// Fails unless every history is judged as it deserves.
pub(crate) fn run() -> Result<(), String> {
    let cases = [scored_rows(), sums(), lists(), orders(), feeds()].concat();
    cases.into_iter().try_for_each(|(name, judged, deserved)| match judged == deserved {
        true => Ok(()),
        false => Err(format!("{name}: judged {judged:?}, not {deserved:?}")),
    })
}

type Case = (&'static str, Counts, Counts);

fn counts(judgement: &Judgement) -> Counts {
    let Judgement { lost, stale, twice, wrong_scores, feed_gaps, feed_twice, .. } = *judgement;
    [lost, stale, twice, wrong_scores, feed_gaps, feed_twice]
}

fn scored_rows() -> Vec<Case> {
    let payments = Payments::of_scores(&[0.0, 0.1, 0.2, 0.3]);
    let judged = |acknowledged: &[u64], in_doubt: &[u64], found| {
        counts(&scored::judged(&payments, acknowledged, in_doubt, found))
    };
    vec![
        ("the last write is there", judged(&[1, 2], &[], Some((2, Some(0.2)))), KEPT),
        ("one in doubt took effect", judged(&[1, 2], &[3], Some((3, Some(0.3)))), KEPT),
        ("one in doubt did not", judged(&[1, 2], &[3], Some((2, Some(0.2)))), KEPT),
        ("the last write is gone", judged(&[1, 2], &[], Some((1, Some(0.1)))), LOST),
        ("the row is gone", judged(&[1], &[2], None), LOST),
        ("another row's score", judged(&[1, 2], &[], Some((2, Some(0.1)))), WRONG_SCORE),
        ("a row without its score", judged(&[2], &[], Some((2, None))), WRONG_SCORE),
    ]
}

fn sums() -> Vec<Case> {
    let judged = |told: &[i64], open, found| counts(&counters::judged(told, open, found));
    vec![
        ("as told", judged(&[1, 2], 0, 2), KEPT),
        ("one that nobody answered for", judged(&[1, 2], 1, 3), KEPT),
        ("it did not take effect", judged(&[1, 2], 1, 2), KEPT),
        ("raised once less", judged(&[1, 2], 0, 1), LOST),
        ("raised once more", judged(&[1, 2], 0, 3), TWICE),
        ("the same told to two", judged(&[1, 1], 1, 2), TWICE),
    ]
}

fn lists() -> Vec<Case> {
    let judged = |asked: &[(u64, bool)], found: &[u64]| {
        let mut judgement = Judgement::default();
        appends::judge(0, &asked.iter().copied().collect::<BTreeMap<_, _>>(), found, &mut judgement);
        counts(&judgement)
    };
    let asked = [(0, true), (4, true), (8, false)];
    vec![
        ("all that were acknowledged", judged(&asked, &[0, 4]), KEPT),
        ("and one that nobody answered for, later", judged(&asked, &[8, 0, 4]), KEPT),
        ("one is gone", judged(&asked, &[0]), LOST),
        ("one is there twice", judged(&asked, &[0, 4, 8, 8]), TWICE),
        ("one that nobody asked for", judged(&asked, &[0, 4, 12]), TWICE),
        ("a caller's second before its first", judged(&asked, &[4, 0]), STALE),
    ]
}

fn orders() -> Vec<Case> {
    let judged = |reads: &[(Option<u64>, u64)]| {
        let mut histories = registers::Histories::default();
        for version in [1, 2] {
            let id = histories.asked(0, registers::put(PutMode::Always), 10 * version);
            let version = RowVersion(version);
            let outcome = Outcome { applied: true, version: Some(version), ..Outcome::default() };
            histories.answered(0, id, &Ok(outcome), 10 * version.0 + 5);
        }
        let remove = Op::Remove { expected: None, want_old: true };
        histories.asked(0, remove, 40);
        for (version, at_us) in reads {
            histories.read(0, version.map(RowVersion), (*at_us, at_us + 1));
        }
        let mut judgement = Judgement::default();
        histories.judge(&mut judgement);
        counts(&judgement)
    };
    vec![
        ("what was written last", judged(&[(Some(1), 16), (Some(2), 26)]), KEPT),
        ("a removal that nobody answered for", judged(&[(Some(2), 46), (None, 50)]), KEPT),
        ("what was overwritten", judged(&[(Some(1), 26)]), STALE),
        ("nothing, before anybody removed it", judged(&[(None, 30)]), STALE),
        ("what was removed, after nothing", judged(&[(None, 46), (Some(2), 50)]), STALE),
    ]
}

fn feeds() -> Vec<Case> {
    use EventKind::{Added, Snapshot, Updated};
    let judged = |events: &[(EventKind, u64, u64)], overrun_before: Option<usize>| {
        let key = Key::from(1);
        let mut feed = Feed::default();
        for (at, (kind, version, number)) in events.iter().enumerate() {
            if overrun_before == Some(at) {
                feed.overrun();
            }
            feed.take(*kind, key.clone(), RowVersion(*version), *number);
        }
        let mut judgement = Judgement::default();
        feed.judge(&Expected::from([(key, vec![1, 2, 3])]), &mut judgement);
        counts(&judgement)
    };
    let all = [(Added, 5, 1), (Updated, 6, 2), (Updated, 9, 3)];
    let overrun = [(Added, 5, 1), (Snapshot, 9, 3)];
    vec![
        ("every change once", judged(&all, None), KEPT),
        ("a snapshot after an overrun", judged(&overrun, Some(1)), KEPT),
        ("one is missing", judged(&[all[0], all[2]], None), GAP),
        ("one comes twice", judged(&[all[0], all[1], all[1], all[2]], None), TOLD_TWICE),
        ("an earlier one comes later", judged(&[all[1], all[0], all[2]], None), TOLD_TWICE),
    ]
}
