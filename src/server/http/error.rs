//! Refusals over HTTP.

use axum::{
    Json,
    http::{StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::types::{Class, Error};

/// Seconds after which what was refused for want of room may be tried again.
const RETRY_AFTER_SECONDS: &str = "1";

/// A refusal as an HTTP answer: `{"error", "class", "hint"}`.
#[derive(Debug)]
pub(in crate::server) struct Refusal(pub(in crate::server) Error);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Refusal(error) = self;
        let code = match error.class {
            Class::Invalid => StatusCode::BAD_REQUEST,
            Class::NotFound => StatusCode::NOT_FOUND,
            Class::Conflict => StatusCode::CONFLICT,
            Class::Overloaded => StatusCode::TOO_MANY_REQUESTS,
            Class::NotPrimary | Class::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Class::Deadline => StatusCode::GATEWAY_TIMEOUT,
            Class::Unauthenticated => StatusCode::UNAUTHORIZED,
            Class::Denied => StatusCode::FORBIDDEN,
            Class::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let body = Json(json!({
            "error": error.message,
            "class": error.class.name(),
            "hint": error.hint,
        }));
        match error.class {
            Class::Overloaded => (code, [(RETRY_AFTER, RETRY_AFTER_SECONDS)], body).into_response(),
            _ => (code, body).into_response(),
        }
    }
}
