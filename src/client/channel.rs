//! Connections as tonic makes them.

use std::{error::Error as _, fmt::Write, time::Duration};

use tonic::transport::{Channel, Endpoint};

use super::Options;
use crate::{
    types::{Error, Result},
    wire::{MAX_FRAME_BYTES, v1::admin_client::AdminClient, v1::grid_client::GridClient},
};

/// What a node may send unread on one call, and on one connection.
const STREAM_WINDOW_BYTES: u32 = 2 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
/// How long a connection may be silent, and then how long a ping unanswered: together well within the time that an
/// operation may take, so that it can go on over another connection.
const KEEP_ALIVE: Duration = Duration::from_secs(2);
const PING_TIMEOUT: Duration = Duration::from_secs(3);
/// A frame of replies ends once it is past the limit, so that it exceeds it by one reply.
const REPLY_FRAME_BYTES: usize = 2 * MAX_FRAME_BYTES;

/// Connects to the node at an address.
pub(super) async fn connect(address: &str, options: &Options) -> Result<Channel> {
    endpoint(address, options)?.connect().await.map_err(|error| unreachable(address, &error))
}

pub(super) fn grid(channel: Channel) -> GridClient<Channel> {
    GridClient::new(channel).max_decoding_message_size(REPLY_FRAME_BYTES)
}

pub(super) fn admin(channel: Channel) -> AdminClient<Channel> {
    AdminClient::new(channel).max_decoding_message_size(REPLY_FRAME_BYTES)
}

fn endpoint(address: &str, options: &Options) -> Result<Endpoint> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|_| {
        Error::invalid(format!("`{address}` is not an address")).hint("addresses are written host:port")
    })?;
    Ok(endpoint
        .connect_timeout(options.connect_timeout)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES))
}

fn unreachable(address: &str, error: &tonic::transport::Error) -> Error {
    let mut message = format!("cannot reach {address}");
    // The outermost text is "transport error": the causes say more.
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.source().is_none() {
            // Writing to a string cannot fail.
            let _ = write!(message, ": {error}");
        }
        cause = error.source();
    }
    Error::unavailable(message).hint("is a node running there? `embergrid node` starts one")
}
