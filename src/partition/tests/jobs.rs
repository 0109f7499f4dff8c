//! Rules 10 and 25: a job scores what is stored, and overwrites nothing that is newer.

use super::bench::*;
use crate::partition::{Body, Input, JobBatch, Limits, Op, Ttl};
use crate::types::Seq;

const NOTHING: [&str; 0] = [];

/// Rows that were stored before the map was bound.
fn stored(keys: &[&str]) -> Bench {
    let mut bench = Bench::new();
    for (tag, key) in keys.iter().enumerate() {
        bench.request(card(tag as u64, key, 1.0));
    }
    bench.bind("risk", "");
    bench.cut_over();
    bench
}

fn job(bench: &mut Bench, batch: JobBatch) -> Vec<String> {
    bench.input(Input::Job(batch))
}

#[test]
fn stored_rows_are_scored_in_one_entry_and_keep_their_versions() {
    let mut bench = stored(&["a", "b"]);
    let batch = bench.scored_by_job(7, "risk", &[("a", 0.1), ("b", 0.2)]);
    assert_eq!(
        job(&mut bench, batch),
        [
            "reply 100 applied",
            "publish 5 [scored a=1/-/-@2 -> a=1/0.1/-@2 by 1:1 in job 7, scored b=1/-/-@3 -> b=1/0.2/-@3 by 1:1 in \
             job 7]"
        ]
    );
    assert_eq!(bench.row(SCORED, "b"), "b=1/0.2/-@3 by 1:1 in job 7");
}

#[test]
fn a_newer_row_keeps_its_score() {
    let mut bench = stored(&["a", "b"]);
    let batch = bench.scored_by_job(7, "risk", &[("a", 0.1), ("b", 0.2)]);
    bench.request(card(1, "a", 9.0));
    bench.scored(1, 0.9);
    assert_eq!(
        job(&mut bench, batch),
        ["reply 100 not applied", "publish 6 [scored b=1/-/-@3 -> b=1/0.2/-@3 by 1:1 in job 7]"]
    );
    assert_eq!(bench.row(SCORED, "a"), "a=9/0.9/-@5 by 1:1");
}

#[test]
fn a_removed_row_stays_removed() {
    let mut bench = stored(&["a"]);
    let batch = bench.scored_by_job(7, "risk", &[("a", 0.1)]);
    bench.request(op(1, SCORED, "a", Op::Remove { expected: None, want_old: false }));
    assert_eq!(job(&mut bench, batch), ["reply 100 not applied"]);
    assert_eq!(bench.row(SCORED, "a"), "none");
}

#[test]
fn a_row_under_a_write_is_left_to_it() {
    let mut bench = stored(&["a"]);
    let batch = |bench: &Bench| bench.scored_by_job(7, "risk", &[("a", 0.1)]);
    let first = batch(&bench);
    assert_eq!(bench.request(card(1, "a", f64::NAN)), ["score 1 risk@1 a"]);
    assert_eq!(job(&mut bench, first), ["reply 100 not applied"]);
    bench.failed(1, crate::types::Error::invalid("the feature `amount` is NaN"));
    let second = batch(&bench);
    assert_eq!(job(&mut bench, second)[0], "reply 100 applied", "the write came to nothing");
}

#[test]
fn a_row_is_scored_once_by_a_job_however_often_it_comes_by() {
    let mut bench = stored(&["a"]);
    let batch = |bench: &Bench, job, score| bench.scored_by_job(job, "risk", &[("a", score)]);
    let (first, second) = (batch(&bench, 7, 0.1), batch(&bench, 7, 0.1));
    job(&mut bench, first);
    assert_eq!(job(&mut bench, second), ["reply 100 not applied"]);
    let again = batch(&bench, 7, 0.3);
    assert_eq!(job(&mut bench, again), ["reply 100 not applied"], "its name stands in the lineage");
    let other = batch(&bench, 8, 0.3);
    assert_eq!(
        job(&mut bench, other),
        [
            "reply 100 applied",
            "publish 5 [scored a=1/0.1/-@2 by 1:1 in job 7 -> a=1/0.3/-@2 by 1:1 in job 8]"
        ]
    );
    bench.request(card(1, "a", 2.0));
    bench.scored(1, 0.2);
    assert_eq!(bench.row(SCORED, "a"), "a=2/0.2/-@6 by 1:1", "a write voids the lineage");
}

#[test]
fn what_else_changed_in_the_row_is_not_undone() {
    let mut bench = stored(&["a"]);
    let batch = |bench: &Bench| bench.scored_by_job(7, "risk", &[("a", 0.1)]);
    let early = batch(&bench);
    bench.request(op(1, SCORED, "a", Op::SetTtl { ttl: Some(Ttl { ms: 50 }) }));
    assert_eq!(job(&mut bench, early), ["reply 100 not applied"]);
    let late = batch(&bench);
    job(&mut bench, late);
    assert_eq!(bench.row(SCORED, "a"), "a=1/0.1/-@2 by 1:1 in job 7 until +50");
    bench.tick(50_000);
    assert_eq!(bench.row(SCORED, "a"), "none");
}

#[test]
fn scores_of_other_bindings_stay() {
    let mut bench = Bench::bound("");
    bench.request(card(1, "a", 1.0));
    bench.scored(1, 0.5);
    bench.bind("other", "");
    bench.cut_over();
    let batch = bench.scored_by_job(7, "other", &[("a", 0.1)]);
    job(&mut bench, batch);
    assert_eq!(bench.row(SCORED, "a"), "a=1/0.5/0.1@3 by 1:1 by 2:1 in job 7");
    // The definition changes, and its id with it.
    bench.bind("risk", "deadline_ms = 40");
    bench.cut_over();
    let batch = bench.scored_by_job(8, "risk", &[("a", 0.6)]);
    job(&mut bench, batch);
    assert_eq!(bench.row(SCORED, "a"), "a=1/0.6/0.1@3 by 2:1 in job 7 by 3:1 in job 8");
}

#[test]
fn a_score_that_is_owed_is_paid_by_a_job() {
    let mut bench = Bench::bound("deadline_ms = 50\non_deadline = \"store_unscored\"");
    bench.request(card(1, "a", 1.0));
    bench.tick(50_000);
    assert_eq!((bench.core.unscored(), &*bench.row(SCORED, "a")), (1, "a=1/-/-@3 unscored"));
    let batch = bench.scored_by_job(7, "risk", &[("a", 0.1)]);
    assert_eq!(
        job(&mut bench, batch),
        ["reply 100 applied", "publish 4 [scored a=1/-/-@3 unscored -> a=1/0.1/-@3 by 1:1 in job 7]"]
    );
    assert_eq!(bench.core.unscored(), 0);
    assert_eq!(bench.scored(2, 0.5), NOTHING, "that question no longer stands");
}

#[test]
fn a_row_that_lacks_another_score_still_owes_it() {
    let mut bench = Bench::new();
    bench.bind("risk", "deadline_ms = 50\non_deadline = \"store_unscored\"");
    bench.bind("other", "deadline_ms = 50\non_deadline = \"store_unscored\"");
    bench.cut_over();
    bench.request(card(1, "a", 1.0));
    bench.tick(50_000);
    let batch = bench.scored_by_job(7, "risk", &[("a", 0.1)]);
    job(&mut bench, batch);
    assert_eq!(bench.row(SCORED, "a"), "a=1/0.1/-@3 by 1:1 in job 7 unscored");
    assert_eq!(bench.core.unscored(), 1);
}

#[test]
fn scores_of_another_model_or_schema_are_refused() {
    let mut bench = stored(&["a"]);
    let batch = bench.scored_by_job(7, "risk", &[("a", 0.1)]);
    bench.deploy(2);
    bench.cut_over();
    assert_eq!(
        job(&mut bench, batch),
        ["reply 100 conflict: the map or its bindings are not what was scored"]
    );
    let early = {
        bench.deploy(3);
        bench.scored_by_job(7, "risk", &[("a", 0.3)])
    };
    assert_eq!(
        job(&mut bench, early),
        ["reply 100 conflict: the map or its bindings are not what was scored"]
    );
    bench.cut_over();
    let batch = bench.scored_by_job(7, "risk", &[("a", 0.3)]);
    job(&mut bench, batch);
    assert_eq!(bench.row(SCORED, "a"), "a=1/0.3/-@2 by 1:3 in job 7");
}

#[test]
fn without_a_lease_nothing_is_taken() {
    let mut bench = stored(&["a"]);
    let batch = bench.scored_by_job(7, "risk", &[("a", 0.1)]);
    bench.input(Input::Lease { until_us: 0 });
    assert_eq!(job(&mut bench, batch), ["reply 100 unavailable: partition 0 has no lease"]);
}

#[test]
fn the_reply_waits_for_the_backups_and_so_does_an_empty_batch() {
    let mut bench = Bench::of(2, Limits { min_in_sync: 2, ..Limits::default() });
    let acknowledge = |bench: &mut Bench, seq| bench.hear(2, Body::Prepared { upto: Seq(seq) });
    bench.request(card(1, "a", 1.0));
    bench.bind("risk", "");
    bench.cut_over();
    acknowledge(&mut bench, 2);
    let empty = bench.scored_by_job(7, "risk", &[]);
    assert_eq!(job(&mut bench, empty), NOTHING, "the cut-over is not committed");
    assert_eq!(acknowledge(&mut bench, 3), ["reply 100 applied", "publish 3 [catalogue 5]"]);
    let empty = bench.scored_by_job(7, "risk", &[]);
    assert_eq!(job(&mut bench, empty), ["reply 100 applied"]);

    let (batch, twin) =
        (bench.scored_by_job(7, "risk", &[("a", 0.1)]), bench.scored_by_job(7, "risk", &[("a", 0.1)]));
    assert_eq!(job(&mut bench, batch), NOTHING);
    assert_eq!(bench.row(SCORED, "a"), "a=1/-/-@2");
    assert_eq!(job(&mut bench, twin), NOTHING, "what is prepared counts");
    assert_eq!(
        acknowledge(&mut bench, 4),
        [
            "reply 100 applied",
            "reply 100 not applied",
            "publish 4 [scored a=1/-/-@2 -> a=1/0.1/-@2 by 1:1 in job 7]"
        ]
    );
}
