//! One check: all states within a scope, or as many as it takes to find a counterexample.

use serde_json::{Value, json};
use stateright::{Checker, Expectation, HasDiscoveries, Model};

use crate::{
    grid::Grid,
    scope::{self, Scope},
    variants::{self, Variant},
};

/// What one check is to show.
pub(crate) struct Check {
    pub(crate) name: String,
    grid: Grid,
}

/// What it showed.
pub(crate) struct Outcome {
    pub(crate) is_as_expected: bool,
    unique: usize,
    depth: usize,
    /// Each property, and in how many steps its example was found, or its counterexample.
    properties: Vec<(Expectation, &'static str, Option<usize>)>,
    /// The steps to the first counterexample.
    story: Vec<String>,
}

/// Everything that is checked: the rules in each scope, and then each variant.
pub(crate) fn all() -> Vec<Check> {
    let rules = scope::ALL.iter().map(|scope| Check::of_rules(*scope));
    rules
        .chain(variants::ALL.iter().map(|case| Check::of_variant(case.name, case.variant, case.scope)))
        .collect()
}

impl Check {
    fn of_rules(scope: Scope) -> Self {
        Check { name: format!("the_rules_hold_in_{}", scope.name), grid: Grid { scope, variant: None } }
    }

    fn of_variant(name: &str, variant: Variant, scope: Scope) -> Self {
        let name = format!("a_counterexample_to_{name}");
        Check { name, grid: Grid { scope, variant: Some(variant) } }
    }

    /// The rules are looked at depth first, which takes the least memory; variants breadth first, for a short story.
    pub(crate) fn run(&self, threads: usize) -> Outcome {
        let checker = self.grid.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures);
        match self.grid.variant {
            None => self.outcome(&checker.spawn_dfs().join()),
            Some(_) => self.outcome(&checker.spawn_bfs().join()),
        }
    }

    fn outcome(&self, checker: &impl Checker<Grid>) -> Outcome {
        let found = checker.discoveries();
        let properties: Vec<_> = self
            .grid
            .properties()
            .into_iter()
            .map(|property| {
                let steps = found.get(property.name).map(|path| path.clone().into_actions().len());
                (property.expectation, property.name, steps)
            })
            .collect();
        let broken =
            properties.iter().find(|(kind, _, steps)| *kind == Expectation::Always && steps.is_some());
        let is_reached =
            properties.iter().all(|(kind, _, steps)| *kind == Expectation::Always || steps.is_some());
        let story = broken.and_then(|(_, name, _)| found.get(name)).map(|path| {
            let actions = path.clone().into_actions();
            actions
                .iter()
                .map(|action| format!("{action:?}"))
                .chain([format!("{:#?}", path.last_state())])
                .collect()
        });
        Outcome {
            is_as_expected: match self.grid.variant {
                None => broken.is_none() && is_reached,
                Some(_) => broken.is_some(),
            },
            unique: checker.unique_state_count(),
            depth: checker.max_depth(),
            properties,
            story: story.unwrap_or_default(),
        }
    }

    pub(crate) fn json(&self, outcome: &Outcome) -> Value {
        let Scope { wanted, min_in_sync, writes, faults, additions, appointments, .. } = self.grid.scope;
        let properties = outcome.properties.iter().map(|(kind, name, steps)| {
            json!({ "kind": format!("{kind:?}").to_lowercase(), "name": name, "found_in_steps": steps })
        });
        json!({
            "name": self.name,
            "is_variant": self.grid.variant.is_some(),
            "bounds": {
                "in_sync": wanted, "min_in_sync": min_in_sync, "writes": writes, "faults": faults,
                "additions": additions, "appointments": appointments,
            },
            "as_expected": outcome.is_as_expected,
            "unique_states": outcome.unique,
            "depth": outcome.depth,
            "properties": properties.collect::<Vec<_>>(),
        })
    }

    /// In lines: how much was looked at, and what was found.
    pub(crate) fn print(&self, outcome: &Outcome, tells: bool) {
        let verdict = if outcome.is_as_expected { "ok" } else { "FAILED" };
        let Outcome { unique, depth, .. } = outcome;
        println!("test {} ... {verdict} ({unique} unique states, depth {depth})", self.name);
        for (kind, name, steps) in &outcome.properties {
            match (self.grid.variant, kind, steps) {
                (None, Expectation::Always, None) => println!("    always: {name}"),
                (None, _, Some(steps)) if *kind != Expectation::Always => {
                    println!("    sometimes: {name} ({steps} steps)");
                }
                (None, _, None) => println!("    NEVER: {name}"),
                (_, Expectation::Always, Some(steps)) => println!("    not so in {steps} steps: {name}"),
                _ => {}
            }
        }
        if tells || (self.grid.variant.is_none() && !outcome.is_as_expected) {
            outcome.story.iter().for_each(|line| println!("      {line}"));
        }
    }

    pub(crate) fn unique_of_rules(&self, outcome: &Outcome) -> usize {
        if self.grid.variant.is_none() { outcome.unique } else { 0 }
    }
}
