//! Changes of configurations, one partition at a time.

use std::sync::Arc;

use super::{Change, placed, reset::fresh_replica};
use crate::{
    catalog::{
        Catalogue, Configuration, ConfigurationChange, MAX_CONFIGURATION_CHANGES, Replica, Response, Step,
    },
    mutant::Mutant,
    types::{Epoch, Error, JoinId, NodeId, Result, Tenure},
};

pub(super) fn configure(catalogue: &mut Catalogue, changes: &[ConfigurationChange]) -> Change {
    if changes.len() > MAX_CONFIGURATION_CHANGES {
        return Err(Error::invalid(format!("{} configurations cannot change at once", changes.len()))
            .hint(format!("the limit is {MAX_CONFIGURATION_CHANGES}")));
    }
    let outcomes: Vec<Result<Epoch>> = changes.iter().map(|change| change_one(catalogue, change)).collect();
    if outcomes.iter().any(Result::is_ok) {
        placed(catalogue);
    }
    Ok((Response::Configured(outcomes), false))
}

fn change_one(catalogue: &mut Catalogue, change: &ConfigurationChange) -> Result<Epoch> {
    let partition = change.partition;
    let present = catalogue
        .configuration(partition)
        .ok_or_else(|| Error::not_found(format!("there is no partition {partition}")))?;
    let is_present = (present.generation, present.epoch) == (change.generation, change.epoch);
    if !is_present && !Mutant::ChangesAnyEpoch.is_on() {
        return Err(Error::conflict(format!(
            "partition {partition} stands at generation {}, epoch {}, not at {}, {}",
            present.generation, present.epoch, change.generation, change.epoch
        )));
    }
    let mut next = present.clone();
    let taken = match change.step {
        Step::AddLearner { node } => add_learner(catalogue, &mut next, node),
        Step::Admit { join } => admit(catalogue, &mut next, join),
        Step::Remove { join } => remove(catalogue, &mut next, join),
        Step::Retire { join } => retire(catalogue, &mut next, join),
        Step::Appoint { join } => appoint(catalogue, &mut next, join),
        Step::HandOver { join } => hand_over(catalogue, &mut next, join),
        Step::Expel { join } => expel(&mut next, join),
        Step::Promote { join, tenure } => promote(catalogue, &mut next, join, tenure),
    };
    taken.map_err(|error| error.within(format_args!("partition {partition}")))?;
    next.begin_epoch();
    let epoch = next.epoch;
    Arc::make_mut(&mut catalogue.configurations)[usize::from(partition.0)] = next;
    Ok(epoch)
}

fn add_learner(catalogue: &mut Catalogue, next: &mut Configuration, node: NodeId) -> Result<()> {
    if !catalogue.has_primary_up(next) {
        return Err(Error::conflict("there is no primary to fill a learner from"));
    }
    check_up(catalogue, node)?;
    if let Some(present) = next.replica_at(node) {
        return Err(Error::conflict(format!(
            "the node {:016x} holds replica {} of it",
            node.0, present.join
        )));
    }
    next.learners.push(fresh_replica(&mut catalogue.next.join, node));
    Ok(())
}

/// Lets a replica count. With enough of them in sync commits resume, so what could be promoted in their stead cannot be
/// any more; with all of them in sync nobody else need be filled.
fn admit(catalogue: &Catalogue, next: &mut Configuration, join: JoinId) -> Result<()> {
    if !catalogue.has_primary_up(next) {
        // A silent primary is not moved while it is alone; with another in sync it would have to be.
        return Err(Error::conflict("its primary is taken to be down"));
    }
    let Configuration { learners, eligible, .. } = &mut *next;
    let replica = taken(learners, join).or_else(|| taken(eligible, join)).ok_or_else(|| stranger(join))?;
    check_up(catalogue, replica.node)?;
    next.in_sync.push(replica);
    if next.in_sync.len() >= usize::from(catalogue.min_in_sync) && !Mutant::KeepsEligible.is_on() {
        next.eligible.clear();
    }
    if next.in_sync.len() >= catalogue.replicas_wanted() {
        next.learners.clear();
    }
    Ok(())
}

fn remove(catalogue: &Catalogue, next: &mut Configuration, join: JoinId) -> Result<()> {
    if join == next.primary {
        return Err(Error::conflict(format!("replica {join} is the primary")));
    }
    if taken(&mut next.learners, join).is_some() {
        return Ok(());
    }
    if !next.in_sync.iter().any(|replica| replica.join == join) {
        return Err(stranger(join));
    }
    next.take_out(join, usize::from(catalogue.min_in_sync));
    Ok(())
}

fn retire(catalogue: &Catalogue, next: &mut Configuration, join: JoinId) -> Result<()> {
    if !next.is_backup(join) {
        return Err(stranger(join));
    }
    let is_whole = next.in_sync.len() > catalogue.replicas_wanted() && next.learners.is_empty();
    if !is_whole && !Mutant::DropsBeforeCopy.is_on() {
        return Err(Error::conflict(format!("replica {join} is not one too many")));
    }
    next.in_sync.retain(|replica| replica.join != join);
    Ok(())
}

fn expel(next: &mut Configuration, join: JoinId) -> Result<()> {
    if !next.is_backup(join) {
        return Err(stranger(join));
    }
    next.in_sync.retain(|replica| replica.join != join);
    Ok(())
}

fn appoint(catalogue: &Catalogue, next: &mut Configuration, join: JoinId) -> Result<()> {
    check_backup(catalogue, next, join)?;
    next.successor = Some(join);
    Ok(())
}

/// The one before holds a lease no longer: that the step comes from it alone is what makes it safe.
fn hand_over(catalogue: &Catalogue, next: &mut Configuration, join: JoinId) -> Result<()> {
    check_backup(catalogue, next, join)?;
    if next.successor != Some(join) {
        return Err(Error::conflict(format!("replica {join} is not appointed")));
    }
    next.primary = join;
    next.handed_over = true;
    next.tenure += 1;
    Ok(())
}

fn check_backup(catalogue: &Catalogue, next: &Configuration, join: JoinId) -> Result<()> {
    let backup = next.in_sync.iter().find(|replica| replica.join == join && join != next.primary);
    check_up(catalogue, backup.ok_or_else(|| stranger(join))?.node)
}

fn promote(catalogue: &Catalogue, next: &mut Configuration, join: JoinId, tenure: Tenure) -> Result<()> {
    if tenure != catalogue.tenure {
        return Err(Error::conflict(format!("tenure {tenure} is over: this is {}", catalogue.tenure)));
    }
    if let Some(heard) = next.in_sync.iter().find(|replica| catalogue.is_up(replica.node)) {
        return Err(Error::conflict(format!("replica {} is in sync and up", heard.join)));
    }
    let heir = next.eligible.iter().find(|replica| replica.join == join).ok_or_else(|| stranger(join))?.node;
    check_up(catalogue, heir)?;
    next.promote(heir);
    Ok(())
}

fn taken(role: &mut Vec<Replica>, join: JoinId) -> Option<Replica> {
    let at = role.iter().position(|replica| replica.join == join)?;
    Some(role.remove(at))
}

fn check_up(catalogue: &Catalogue, node: NodeId) -> Result<()> {
    if catalogue.is_up(node) {
        return Ok(());
    }
    Err(Error::conflict(format!("the node {:016x} is not up", node.0)))
}

fn stranger(join: JoinId) -> Error {
    Error::conflict(format!("replica {join} has no such role in it"))
}
