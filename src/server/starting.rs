//! What clients are told while the node is not part of a cluster yet.

use std::future::Future;

use axum::{
    Router,
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{Status, service::Routes};

use super::{CONNECTIONS_WAITING, GRACE, Limits, Server, accept, http, stopping::Stopping, transport};
use crate::types::Error;

const REASON: &str = "the node has not joined its cluster yet";

impl Server {
    /// Answers health checks, and refuses everything else, until the node has started.
    pub async fn until_started<T>(&self, started: impl Future<Output = T>) -> T {
        let (stopper, stopping) = Stopping::new();
        let (door, connections) = mpsc::channel(CONNECTIONS_WAITING);
        let connections = ReceiverStream::new(connections).map(TcpStream::from_std);
        let transport = transport(Limits::default()).add_routes(Routes::from(routes()));
        let serving = tokio::spawn(transport.serve_with_incoming_shutdown(connections, stopping.wait()));
        let mut started = std::pin::pin!(started);
        let node = tokio::select! {
            node = &mut started => node,
            () = accept(&self.listener, vec![door]) => started.await,
        };
        stopper.stop();
        // Whoever is connected connects again: to the node itself.
        if tokio::time::timeout(GRACE, serving).await.is_err() {
            tracing::debug!("somebody still waits for an answer from before the node had started");
        }
        node
    }
}

fn routes() -> Router {
    Router::new()
        .route("/health/live", get(http::live))
        .route("/health/ready", get(async || http::not_ready(REASON)))
        .fallback(refuse)
}

/// Said in the language of the request.
async fn refuse(headers: HeaderMap) -> Response {
    let error = Error::unavailable(REASON).hint("retry in a moment");
    match http::is_grpc(&headers) {
        true => Status::from(error).into_http::<axum::body::Body>(),
        false => http::Refusal(error).into_response(),
    }
}
