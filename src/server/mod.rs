//! gRPC and HTTP for clients, on one port.
//!
//! The path decides: `/embergrid.v1.*` and reflection are gRPC, the rest is HTTP. Whatever comes in is bounded before
//! it is decoded and checked before anything else touches it; the grid itself is behind [`crate::node::Grid`].

mod admin;
mod answer;
mod data;
mod describe;
mod http;
mod limits;
mod operation;
mod query;
mod rows;
mod service;
mod session;
mod stopping;
mod subscription;

use std::{future::Future, io::ErrorKind, net::SocketAddr, time::Duration};

use tokio::net::TcpListener;
use tonic::{
    service::Routes,
    transport::server::{Server as Transport, TcpIncoming},
};
use tonic_reflection::server::Builder as Reflection;

pub use limits::Limits;

use self::{service::Service, stopping::Stopping};
use crate::{
    node::Grid,
    types::{Error, Result},
    wire::{
        DESCRIPTORS,
        v1::{admin_server::AdminServer, grid_server::GridServer},
    },
};

/// What a client may have under way unread: on one call, on one connection.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// A connection that does not answer for as long is closed.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// How long calls under way may take to end once the server is to stop.
const GRACE: Duration = Duration::from_secs(3);

/// A port that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
}

impl Server {
    /// Listens at `address`, as `host:port`.
    pub async fn bind(address: &str) -> Result<Self> {
        let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => Error::conflict(format!("the address {address} is in use"))
                .hint("does a node run there already? choose another with `--listen`"),
            _ => Error::invalid(format!("cannot listen at {address}: {error}"))
                .hint("addresses are written host:port"),
        })?;
        Ok(Server { listener })
    }

    /// Where it listens.
    pub fn address(&self) -> Result<SocketAddr> {
        self.listener.local_addr().map_err(|error| Error::internal(format!("the listening socket: {error}")))
    }

    /// Serves a node until `stop` is over. Then nothing new is accepted and streams are ended; calls under way have a
    /// moment to finish.
    pub async fn serve(self, grid: Grid, limits: Limits, stop: impl Future<Output = ()>) -> Result<()> {
        let (stopper, stopping) = Stopping::new();
        let routes = routes(Service { grid, limits, stopping: stopping.clone() })?;
        let incoming = TcpIncoming::from(self.listener).with_nodelay(Some(true));
        let serving = Transport::builder()
            .accept_http1(true)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_concurrent_streams(limits.calls)
            .http2_keepalive_interval(Some(KEEP_ALIVE))
            .http2_keepalive_timeout(Some(KEEP_ALIVE))
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, stopping.wait());
        let mut serving = std::pin::pin!(serving);
        let served = tokio::select! {
            served = &mut serving => served,
            () = stop => {
                stopper.stop();
                tokio::time::timeout(GRACE, serving).await.unwrap_or(Ok(()))
            }
        };
        served.map_err(|error| Error::internal(format!("the server failed: {error}")))
    }
}

fn routes(service: Service) -> Result<Routes> {
    let most = service.limits.frame_bytes;
    let fault = |error| Error::internal(format!("reflection: {error}"));
    let reflection = || Reflection::configure().register_encoded_file_descriptor_set(DESCRIPTORS);
    let grpc = Routes::new(GridServer::new(service.clone()).max_decoding_message_size(most))
        .add_service(AdminServer::new(service.clone()).max_decoding_message_size(most))
        .add_service(reflection().build_v1().map_err(fault)?)
        .add_service(reflection().build_v1alpha().map_err(fault)?)
        .into_axum_router();
    Ok(grpc.reset_fallback().merge(http::routes(service)).fallback(http::unknown).into())
}
