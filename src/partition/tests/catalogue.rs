//! Rule 9: one cut-over, in the partition's own order, never back.

use super::bench::*;
use crate::{catalog::Command, store::NotServing};

const NOTHING: [&str; 0] = [];

#[test]
fn a_version_takes_effect_through_an_entry_and_once() {
    let mut bench = Bench::new();
    bench.bind("risk", "");
    assert_eq!(bench.cut_over(), ["publish 2 [catalogue 5]"]);
    assert_eq!(bench.cut_over(), NOTHING);
    assert_eq!(bench.core.view().version.0, 5);
}

#[test]
fn a_write_in_flight_is_scored_anew_by_the_model_after_the_cut_over() {
    let mut bench = Bench::bound("");
    bench.request(card(1, "a", 1.0));
    bench.request(card(2, "a", 2.0));
    bench.deploy(2);
    assert_eq!(bench.cut_over(), ["publish 3 [catalogue 6]", "score 2 risk@2 a"]);
    assert_eq!(bench.scored(1, 0.1), NOTHING, "a score of the old model comes too late");
    assert_eq!(
        bench.scored(2, 0.2),
        [
            "reply 1 applied v4 record a=1/0.2/-@4 by 1:2",
            "publish 4 [put none -> a=1/0.2/-@4 by 1:2]",
            "score 3 risk@2 a"
        ]
    );
}

#[test]
fn a_cut_over_of_other_things_leaves_writes_alone() {
    let mut bench = Bench::bound("");
    bench.request(card(1, "a", 1.0));
    bench.apply(Command::CreateMap(crate::catalog::MapFile::plain("third")));
    assert_eq!(bench.cut_over(), ["publish 3 [catalogue 6]"]);
    assert_eq!(bench.scored(1, 0.1).len(), 2);
}

#[test]
fn without_its_binding_a_write_in_flight_needs_no_score() {
    let mut bench = Bench::bound("");
    bench.request(card(1, "a", 1.0));
    bench.apply(Command::DeleteBinding { name: "risk".into() });
    assert_eq!(
        bench.cut_over(),
        ["publish 3 [catalogue 6]", "reply 1 applied v4", "publish 4 [put none -> a=1/-/-@4]"]
    );
}

#[test]
fn a_dropped_map_takes_its_rows_and_its_writes_in_flight() {
    let mut bench = Bench::bound("");
    bench.request(card(1, "a", 1.0));
    bench.scored(1, 0.1);
    bench.request(card(2, "a", 2.0));
    bench.request(card(3, "a", 3.0));
    bench.apply(Command::DeleteBinding { name: "risk".into() });
    bench.apply(Command::DropMap { name: "cards".into() });
    assert_eq!(
        bench.cut_over(),
        [
            "publish 4 [catalogue 7]",
            "reply 2 not_found: partition 0 has no map 2 at catalogue version 7",
            "reply 3 not_found: partition 0 has no map 2 at catalogue version 7"
        ]
    );
    assert_eq!(bench.core.reader().read(SCORED, key("a").packed(), || 0), Err(NotServing::NoMap));
}

#[test]
fn a_debt_follows_the_cut_over() {
    let mut bench = Bench::bound("mode = \"async\"");
    bench.request(card(1, "a", 1.0));
    bench.deploy(2);
    assert_eq!(bench.cut_over(), ["publish 4 [catalogue 6]", "score 2 risk@2 a"]);
    assert_eq!(bench.scored(1, 0.1), NOTHING);
    assert_eq!(bench.scored(2, 0.2), ["publish 5 [scored a=1/-/-@3 unscored -> a=1/0.2/-@3 by 1:2]"]);
}

#[test]
fn a_debt_to_a_deleted_binding_is_cancelled_and_the_mark_goes() {
    let mut bench = Bench::bound("mode = \"async\"");
    bench.request(card(1, "a", 1.0));
    bench.apply(Command::DeleteBinding { name: "risk".into() });
    assert_eq!(
        bench.cut_over(),
        ["publish 4 [catalogue 6]", "publish 5 [scored a=1/-/-@3 unscored -> a=1/-/-@3]"]
    );
    assert_eq!(bench.core.unscored(), 0);
}
