//! Health, for those who start and stop nodes.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::Service;
use crate::types::Result;

/// The process answers.
pub(super) async fn live() -> Response {
    Json(json!({ "live": true })).into_response()
}

/// Rows can be read and written.
pub(super) async fn ready(State(service): State<Service>) -> Response {
    match rows(&service) {
        Ok(_) => Json(json!({ "ready": true })).into_response(),
        Err(error) => {
            let body = Json(json!({ "ready": false, "reason": error.message }));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}

/// Stopping the node loses no row: nobody else has them, so there must be none.
pub(super) async fn safe_to_stop(State(service): State<Service>) -> Response {
    let reason = match rows(&service) {
        Ok(0) => return Json(json!({ "safe_to_stop": true })).into_response(),
        Ok(rows) => format!("{rows} rows are in the memory of this node alone"),
        Err(error) => error.message.into_owned(),
    };
    let body = Json(json!({ "safe_to_stop": false, "reason": reason }));
    (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
}

fn rows(service: &Service) -> Result<u64> {
    service.grid.view().maps.keys().map(|map| service.grid.size(*map)).sum()
}
