//! Jobs: started, held, resumed, ended, and what the nodes report of them. Times come with the commands.

use std::{collections::BTreeSet, sync::Arc};

use super::{Change, room, take};
use crate::{
    catalog::{
        Catalogue, Job, JobPart, JobState, JobTally, MAX_CONDITION_BYTES, MAX_JOBS, MAX_RUNNING_JOBS,
        Response,
    },
    types::{BindingId, Error, JobId, JobsVersion, Result, Timestamp},
};

/// What is asked for.
pub(super) struct Start<'a> {
    pub(super) map: &'a str,
    pub(super) binding: &'a str,
    pub(super) condition: Option<&'a str>,
    pub(super) rows: u64,
    pub(super) at: Timestamp,
}

pub(super) fn start(catalogue: &mut Catalogue, asked: &Start<'_>) -> Change {
    let map = catalogue.map(asked.map)?.clone();
    let binding = catalogue.binding(asked.binding)?.clone();
    if binding.map != map.id {
        return Err(Error::invalid(format!(
            "the binding `{}` scores the map `{}`, not `{}`",
            asked.binding, binding.file.map, asked.map
        )));
    }
    if let Some(bytes) = asked.condition.map(str::len).filter(|bytes| *bytes > MAX_CONDITION_BYTES) {
        return Err(Error::invalid(format!(
            "the condition has {bytes} bytes, more than {MAX_CONDITION_BYTES}"
        )));
    }
    let active = || catalogue.jobs.values().filter(|job| !job.state.is_over());
    if let Some(other) = active().find(|job| job.binding == binding.id) {
        return Err(Error::conflict(format!(
            "job {} scores `{}` under `{}` already: it is {}",
            other.id, asked.map, asked.binding, other.state
        ))
        .hint(match other.state {
            JobState::Paused => "resume it: `embergrid job resume`, or cancel it: `embergrid job cancel`",
            _ => "wait for it: `embergrid job show`, or cancel it: `embergrid job cancel`",
        }));
    }
    room("jobs that are not over", active().count(), MAX_RUNNING_JOBS)?;
    let id = JobId(take(&mut catalogue.next.job, "job")?);
    let job = Job {
        id,
        map: map.id,
        map_name: map.name.clone(),
        binding: binding.id,
        binding_name: binding.file.name.clone(),
        condition: asked.condition.map(str::to_owned),
        state: JobState::Running,
        reason: None,
        rows: asked.rows,
        tally: JobTally::default(),
        refusal: None,
        finished: BTreeSet::new(),
        ran_ms: 0,
        since: Some(asked.at),
    };
    catalogue.jobs.insert(id, Arc::new(job));
    forget_the_oldest(catalogue);
    changed(catalogue);
    answer(id, JobState::Running)
}

/// Running and paused jobs are fewer than are remembered, so that one that is over can always go.
fn forget_the_oldest(catalogue: &mut Catalogue) {
    while catalogue.jobs.len() > MAX_JOBS {
        let oldest = catalogue.jobs.values().find(|job| job.state.is_over()).map(|job| job.id);
        let Some(oldest) = oldest else { return };
        catalogue.jobs.remove(&oldest);
    }
}

pub(super) fn pause(catalogue: &mut Catalogue, id: JobId, at: Timestamp) -> Change {
    turn(catalogue, id, JobState::Paused, at)
}

pub(super) fn resume(catalogue: &mut Catalogue, id: JobId, at: Timestamp) -> Change {
    turn(catalogue, id, JobState::Running, at)
}

pub(super) fn cancel(catalogue: &mut Catalogue, id: JobId, at: Timestamp) -> Change {
    turn(catalogue, id, JobState::Cancelled, at)
}

/// Lets a job that is not over be in another state.
fn turn(catalogue: &mut Catalogue, id: JobId, state: JobState, at: Timestamp) -> Change {
    let job = catalogue.job(id)?;
    if job.state == state {
        return answer(id, state);
    }
    if job.state.is_over() {
        return Err(Error::conflict(format!("job {id} is {}", job.state))
            .hint("start another: `embergrid job score MAP --binding NAME`"));
    }
    enter(job_mut(catalogue, id)?, state, at);
    changed(catalogue);
    answer(id, state)
}

/// Partitions that are finished, each counted once, whoever reports it how often. A job may be paused by the time the
/// report comes; of one that is over nothing more is counted.
pub(super) fn progress(catalogue: &mut Catalogue, id: JobId, parts: &[JobPart], at: Timestamp) -> Change {
    let partitions = usize::from(catalogue.partition_count);
    if parts.len() > partitions {
        return Err(Error::invalid(format!("{} partitions are reported of {partitions}", parts.len())));
    }
    if let Some(stranger) = parts.iter().find(|part| usize::from(part.partition.0) >= partitions) {
        return Err(Error::not_found(format!("there is no partition {}", stranger.partition)));
    }
    let state = catalogue.job(id)?.state;
    if state.is_over() {
        return answer(id, state);
    }
    let job = job_mut(catalogue, id)?;
    let mut news = false;
    for part in parts {
        if job.finished.insert(part.partition) {
            job.tally += part.tally;
            let cut = |text: &String| text.chars().take(JobPart::MAX_REFUSAL_CHARS).collect();
            job.refusal = job.refusal.take().or_else(|| part.refusal.as_ref().map(cut));
            news = true;
        }
    }
    if job.finished.len() == partitions {
        enter(job, JobState::Done, at);
    }
    let state = job.state;
    if news {
        changed(catalogue);
    }
    answer(id, state)
}

/// The jobs of a binding that is there no longer come to nothing.
pub(super) fn fail_of(catalogue: &mut Catalogue, binding: BindingId, reason: &str) {
    let of = |job: &&Arc<Job>| job.binding == binding && !job.state.is_over();
    let ids: Vec<JobId> = catalogue.jobs.values().filter(of).map(|job| job.id).collect();
    for id in &ids {
        if let Ok(job) = job_mut(catalogue, *id) {
            job.reason = Some(reason.to_owned());
            // When it was is not known here: the present stretch is left out.
            job.since = None;
            enter(job, JobState::Failed, Timestamp(0));
        }
    }
    if !ids.is_empty() {
        changed(catalogue);
    }
}

fn enter(job: &mut Job, state: JobState, at: Timestamp) {
    job.ran_ms = job.ran_ms(at);
    job.since = (state == JobState::Running).then_some(at);
    job.state = state;
    if state.is_over() {
        job.finished.clear();
    }
}

fn job_mut(catalogue: &mut Catalogue, id: JobId) -> Result<&mut Job> {
    let missing = || Error::not_found(format!("there is no job {id}"));
    catalogue.jobs.get_mut(&id).map(Arc::make_mut).ok_or_else(missing)
}

fn changed(catalogue: &mut Catalogue) {
    catalogue.jobs_version = JobsVersion(catalogue.jobs_version.0 + 1);
}

/// No partition cuts over for the sake of a job.
fn answer(id: JobId, state: JobState) -> Change {
    Ok((Response::Job { id, state }, false))
}
