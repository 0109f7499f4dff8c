//! HTTP: rows as JSON, metrics, health.

mod error;
mod health;
mod json;
mod rows;

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, Method, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use tonic::Status;

pub(super) use self::{
    error::Refusal,
    health::{live, not_ready},
};
use super::service::Service;
use crate::types::Error;

/// All paths that are not of gRPC.
pub(super) fn routes(service: Service) -> Router {
    let limit = DefaultBodyLimit::max(service.limits.frame_bytes);
    Router::new()
        .route("/v1/maps/{map}/rows/{key}", get(rows::read).post(rows::put).delete(rows::remove))
        .route("/metrics", get(metrics))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/health/safe-to-stop", get(health::safe_to_stop))
        .layer(limit)
        .with_state(service)
}

/// What is at no path: said in the language of the request.
pub(super) async fn unknown(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if is_grpc(&headers) {
        let status = Status::unimplemented(format!("this node has no call {}", uri.path()));
        return status.into_http::<axum::body::Body>();
    }
    let error = Error::not_found(format!("there is nothing at {method} {}", uri.path()))
        .hint("rows are at /v1/maps/{map}/rows/{key}; see also /metrics and /health/ready");
    Refusal(error).into_response()
}

/// Whether it is gRPC that was meant.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

async fn metrics(State(service): State<Service>) -> Response {
    let catalogue = service.grid.catalogue();
    let rows = catalogue
        .maps()
        // A map that cannot be counted now is left out, rather than shown as empty.
        .filter_map(|map| Some((map.name.as_str(), service.grid.size(map.id).ok()?)));
    let metrics = service.grid.metrics();
    metrics.observe(catalogue.version.0, rows);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.render()).into_response()
}
