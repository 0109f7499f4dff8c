//! gRPC and HTTP for clients, on one port.
//!
//! The path decides: `/embergrid.v1.*` and reflection are gRPC, the rest is HTTP. Whatever comes in is bounded before
//! it is decoded and checked before anything else touches it; the grid itself is behind [`crate::node::Grid`].
//!
//! Any node takes any call. What belongs to a partition whose primary is elsewhere is passed on to that node, one hop
//! ([`relay`], [`query`], [`census`], [`progress`]); what this node does so for others is in [`peers`].

mod admin;
mod answer;
mod ask;
mod census;
mod data;
mod describe;
mod desk;
mod http;
mod jobs;
mod limits;
mod operation;
mod patience;
mod peers;
mod progress;
mod query;
mod relay;
mod route;
mod rows;
mod scan;
mod service;
mod session;
mod starting;
mod stopping;
mod subscription;
mod topology;

use std::{future::Future, io::ErrorKind, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{service::Routes, transport::server::Server as Transport};
use tonic_reflection::server::Builder as Reflection;

pub use limits::Limits;

use self::{service::Service, stopping::Stopping};
use crate::{
    node::{Grid, Lanes},
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
/// How many connections may wait for their lane.
const CONNECTIONS_WAITING: usize = 16;
/// When to try again after a connection was not accepted: there may be no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
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
        peers::answer(&grid, limits);
        let lanes = Lanes::start(grid.workers())?;
        let routes = routes(Service { grid, limits, stopping: stopping.clone() })?;
        let mut serving = JoinSet::new();
        let mut doors = Vec::new();
        for runtime in lanes.runtimes() {
            let (door, connections) = mpsc::channel(CONNECTIONS_WAITING);
            let connections = ReceiverStream::new(connections).map(TcpStream::from_std);
            let transport = transport(limits).add_routes(routes.clone());
            serving.spawn_on(transport.serve_with_incoming_shutdown(connections, stopping.wait()), runtime);
            doors.push(door);
        }
        let failed = |error: &dyn std::error::Error| Error::internal(format!("the server failed: {error}"));
        tokio::select! {
            () = accept(&self.listener, doors) => Err(Error::internal("the server failed")),
            Some(served) = serving.join_next() => match served {
                Ok(served) => served.map_err(|error| failed(&error)),
                Err(panic) => Err(failed(&panic)),
            },
            () = stop => {
                stopper.stop();
                // What has not ended by then ends with its thread.
                let _ = tokio::time::timeout(GRACE, serving.join_all()).await;
                Ok(())
            }
        }
    }
}

/// Hands connections to the lanes in turn; returns when one of them is gone.
async fn accept(listener: &TcpListener, doors: Vec<mpsc::Sender<std::net::TcpStream>>) {
    for door in doors.iter().cycle() {
        let connection = loop {
            match listener.accept().await.and_then(|(stream, _)| {
                stream.set_nodelay(true)?;
                stream.into_std()
            }) {
                Ok(connection) => break connection,
                Err(error) => {
                    tracing::warn!("a connection was not accepted: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        };
        if door.send(connection).await.is_err() {
            return;
        }
    }
}

fn transport(limits: Limits) -> Transport {
    Transport::builder()
        .accept_http1(true)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(limits.calls)
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
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
