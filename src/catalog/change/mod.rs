//! Every command's effect. Each checks all before it changes anything.

mod bindings;
mod configurations;
mod departure;
mod jobs;
mod maps;
mod models;
mod nodes;
mod reset;
mod sessions;
#[cfg(test)]
mod tests;

use super::{Catalogue, Command, Response};
use crate::types::{CatalogueVersion, Error, PlacementVersion, Result};

/// A response, and whether the metadata changed.
type Change = Result<(Response, bool)>;

pub(super) fn apply(catalogue: &mut Catalogue, command: &Command) -> Result<Response> {
    if !catalogue.is_founded() && !matches!(command, Command::Found(_)) {
        return Err(Error::unavailable("the cluster is not founded yet"));
    }
    let (response, changed) = match command {
        Command::Found(founding) => nodes::found(catalogue, founding),
        Command::StartNode { node, after } => nodes::start(catalogue, node, *after),
        Command::FailNode { node, incarnation } => nodes::fail(catalogue, *node, *incarnation),
        Command::ReturnNode { node, incarnation } => nodes::welcome(catalogue, *node, *incarnation),
        Command::DrainNode { node, incarnation } => nodes::drain(catalogue, *node, *incarnation),
        Command::Lead => nodes::lead(catalogue),
        Command::Configure(changes) => configurations::configure(catalogue, changes),
        Command::ResetLost { unavailable } => reset::lost(catalogue, *unavailable),
        Command::CreateMap(file) => maps::create(catalogue, file),
        Command::DropMap { name } => maps::drop(catalogue, name),
        Command::AddModel { version, alias } => models::add(catalogue, version, alias.as_deref()),
        Command::SetAlias { model, alias, version } => models::set_alias(catalogue, model, alias, *version),
        Command::RemoveModel { model, version } => models::remove(catalogue, model, *version),
        Command::ApplyBinding(file) => bindings::apply(catalogue, file),
        Command::DeleteBinding { name } => bindings::delete(catalogue, name),
        Command::StartJob { map, binding, condition, rows, at } => {
            let condition = condition.as_deref();
            jobs::start(catalogue, &jobs::Start { map, binding, condition, rows: *rows, at: *at })
        }
        Command::PauseJob { job, at } => jobs::pause(catalogue, *job, *at),
        Command::ResumeJob { job, at } => jobs::resume(catalogue, *job, *at),
        Command::CancelJob { job, at } => jobs::cancel(catalogue, *job, *at),
        Command::JobProgress { job, finished, at } => jobs::progress(catalogue, *job, finished, *at),
        Command::GrantSessions { count } => sessions::grant(catalogue, *count),
    }?;
    if changed {
        catalogue.version = CatalogueVersion(catalogue.version.0 + 1);
    }
    Ok(response)
}

/// Counts a change of members, configurations or tenure.
fn placed(catalogue: &mut Catalogue) {
    catalogue.placement = PlacementVersion(catalogue.placement.0 + 1);
}

/// Gives the next id of a 32-bit kind.
fn take(next: &mut u32, what: &str) -> Result<u32> {
    let id = *next;
    *next =
        id.checked_add(1).ok_or_else(|| Error::unavailable(format!("the cluster has no {what} ids left")))?;
    Ok(id)
}

/// Refuses one more `what` than there may be.
fn room(what: &str, present: usize, most: usize) -> Result<()> {
    if present < most {
        return Ok(());
    }
    Err(Error::conflict(format!("there are {present} {what} already, the limit")))
}

/// `` `a`, `b` and 3 more``
fn listing<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 5;
    let names: Vec<&str> = names.collect();
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
