//! What always holds, and what can be reached: without the latter the former would say nothing.

use stateright::Property;

use crate::{
    configuration::{Configuration, NODES, Place},
    grid::Grid,
    replica::{Phase, Replica},
    state::State,
};

/// The properties of a model.
pub(crate) fn of(grid: &Grid) -> Vec<Property<Grid>> {
    let mut all = vec![
        Property::<Grid>::always("no acknowledged write is lost", |_, state| is_all_kept(state)),
        Property::<Grid>::always("no read is stale", |grid, state| {
            (0..NODES).all(|node| state.stale_reads[node].is_none() || !state.serves(node, grid))
        }),
        Property::<Grid>::always("at most one primary serves", |grid, state| {
            (0..NODES).filter(|node| state.serves(*node, grid)).count() <= 1
        }),
        Property::<Grid>::always("committed prefixes agree", |_, state| do_prefixes_agree(state)),
    ];
    let scope = &grid.scope;
    if scope.faults > 0 {
        all.extend(after_faults());
    }
    if scope.additions > 0 && (scope.faults > 0 || scope.wanted < NODES) {
        all.extend(after_additions());
    }
    if scope.appointments > 0 {
        all.extend(after_moves());
    }
    if scope.faults as usize >= scope.wanted {
        all.push(Property::<Grid>::sometimes("the partition is lost", |_, state| {
            state.control.present().is_lost()
        }));
    }
    if scope.faults > 1 && scope.wanted == scope.min_in_sync {
        all.extend(after_eligible());
    }
    all
}

fn after_eligible() -> [Property<Grid>; 2] {
    [
        Property::<Grid>::sometimes("an eligible replica is promoted", |_, state| {
            has_step(state, |before, next| {
                next.at(Place::InSync)
                    .any(|node| next.is_primary(node) && before.places[node] == Place::Eligible)
            })
        }),
        Property::<Grid>::sometimes("an eligible replica is admitted again", |_, state| {
            has_step(state, |before, next| {
                next.at(Place::InSync)
                    .any(|node| !next.is_primary(node) && before.places[node] == Place::Eligible)
            })
        }),
    ]
}

fn after_faults() -> [Property<Grid>; 5] {
    [
        Property::<Grid>::sometimes("a failover completes", has_failed_over),
        Property::<Grid>::sometimes("a write is acknowledged after a failover", |grid, state| {
            has_failed_over(grid, state) && is_last_acknowledged(state)
        }),
        Property::<Grid>::sometimes("a lease is waited for", |_, state| is_one_waiting(state)),
        Property::<Grid>::sometimes("what a primary left is committed by the next", |grid, state| {
            has_failed_over(grid, state) && state.seen.entries().last() == Some(&1)
        }),
        Property::<Grid>::sometimes("a read would be stale but for its check", |_, state| {
            state.stale_reads.iter().any(Option::is_some)
        }),
    ]
}

fn after_additions() -> [Property<Grid>; 2] {
    [
        Property::<Grid>::sometimes("a learner is filled and admitted", has_admitted),
        Property::<Grid>::sometimes("a write is acknowledged after an admission", |grid, state| {
            has_admitted(grid, state) && is_last_acknowledged(state)
        }),
    ]
}

fn after_moves() -> [Property<Grid>; 2] {
    [
        Property::<Grid>::sometimes("a migration completes", has_migrated),
        Property::<Grid>::sometimes("a write is acknowledged after a migration", |grid, state| {
            has_migrated(grid, state) && is_last_acknowledged(state)
        }),
    ]
}

/// Whoever is in sync, or eligible, and lives has all that clients know of: any of them may be promoted.
fn is_all_kept(state: &State) -> bool {
    let present = state.control.present();
    present.at(Place::InSync).chain(present.at(Place::Eligible)).all(|node| {
        state.replica(node).is_none_or(|replica| {
            replica.join == present.joins[node] && state.seen.is_prefix_of(&replica.log)
        })
    })
}

fn do_prefixes_agree(state: &State) -> bool {
    let committed = |replica: &Replica| replica.log.prefix(replica.committed);
    let all: Vec<_> = state.nodes.iter().flatten().map(committed).chain([state.seen]).collect();
    all.iter().enumerate().all(|(at, one)| all[at..].iter().all(|other| one.agrees_with(other)))
}

/// The primary of the present configuration, if it serves.
fn leader<'a>(grid: &Grid, state: &'a State) -> Option<&'a Replica> {
    let present = state.control.present();
    let node = usize::from(present.primary?);
    let replica = state.replica(node).filter(|replica| replica.configuration.epoch == present.epoch);
    replica.filter(|_| state.serves(node, grid))
}

/// A primary serves that took over from another one's silence or end.
fn has_failed_over(grid: &Grid, state: &State) -> bool {
    leader(grid, state).is_some_and(|leader| {
        !leader.configuration.handed_over && leader.tenure().is_some_and(|tenure| tenure.began > 1)
    })
}

/// A replica that was added is in sync.
fn has_admitted(grid: &Grid, state: &State) -> bool {
    leader(grid, state).is_some_and(|leader| {
        let present = &leader.configuration;
        present.at(Place::InSync).any(|node| present.joins[node] > 0)
    })
}

/// What the first primary held is with the third node, role and all, and the first one holds nothing any more.
fn has_migrated(grid: &Grid, state: &State) -> bool {
    leader(grid, state).is_some_and(|leader| {
        let present = &leader.configuration;
        present.handed_over
            && present.is_primary(2)
            && present.places[0] == Place::Nothing
            && present.count(Place::InSync) == grid.scope.wanted
    })
}

/// Whether one of the steps was such that somebody may learn yet.
fn has_step(state: &State, is_such: impl Fn(&Configuration, &Configuration) -> bool) -> bool {
    let steps = state.control.configurations.windows(2);
    steps.into_iter().any(|step| matches!(step, [before, next] if is_such(before, next)))
}

/// The last write that clients know of is the present primary's, in its present epoch.
fn is_last_acknowledged(state: &State) -> bool {
    state.seen.entries().last() == Some(&state.control.present().epoch)
}

fn is_one_waiting(state: &State) -> bool {
    (0..NODES).any(|node| {
        let tenure = state.replica(node).and_then(Replica::tenure);
        tenure.is_some_and(|tenure| matches!(tenure.phase, Phase::TakingOver { .. })) && state.is_bound(node)
    })
}
