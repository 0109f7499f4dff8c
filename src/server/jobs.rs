//! Jobs as clients see them.

use super::{
    census::{self, What},
    service::Service,
};
use crate::{
    catalog::Job,
    types::{JobId, Result, Timestamp},
    wire::v1,
};

/// Starts a job over the rows that the map has now.
pub(super) async fn start(service: &Service, request: v1::StartJobRequest) -> Result<v1::JobDescription> {
    let v1::StartJobRequest { map, binding, r#where } = request;
    let rows = census::count(&service.grid, service.map(&map)?.map.id, What::Rows).await?;
    let job = service.grid.start_job(&map, &binding, r#where.as_deref(), rows).await?;
    describe(service, job.0)
}

/// One job.
pub(super) fn describe(service: &Service, job: u32) -> Result<v1::JobDescription> {
    let catalogue = service.grid.catalogue();
    Ok(description(catalogue.job(JobId(job))?, service.grid.time_of_day()))
}

/// All jobs that the cluster remembers.
pub(super) fn list(service: &Service) -> v1::ListJobsReply {
    let now = service.grid.time_of_day();
    let catalogue = service.grid.catalogue();
    v1::ListJobsReply { jobs: catalogue.jobs().map(|job| description(job, now)).collect() }
}

fn description(job: &Job, now: Timestamp) -> v1::JobDescription {
    v1::JobDescription {
        job: job.id.0,
        map: job.map_name.clone(),
        binding: job.binding_name.clone(),
        r#where: job.condition.clone(),
        state: job.state.to_string(),
        total: job.total(),
        done: job.tally.done,
        refused: job.tally.refused,
        seconds: job.ran_ms(now) as f64 / 1e3,
        reason: job.reason.clone(),
        refusal: job.refusal.clone(),
    }
}
