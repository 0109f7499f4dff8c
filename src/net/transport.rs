//! The settings of QUIC, all that matter said aloud, and the socket.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use quinn::{
    AckFrequencyConfig, ClientConfig, Endpoint, EndpointConfig, IdleTimeout, MtuDiscoveryConfig,
    ServerConfig, TokioRuntime, TransportConfig, VarInt,
};
use quinn_proto::HashedConnectionIdGenerator;
use socket2::{Domain, Protocol, Socket, Type};

use super::identity::Identity;

/// A connection is given up after so long a silence. Failures are found by beacons, much sooner; this frees the rest.
const IDLE_MS: u32 = 3_000;
/// How often an idle connection is heard of.
const KEEP_ALIVE: Duration = Duration::from_millis(500);
/// Peers are near: the standard's 333 ms would make each loss during the handshake cost a third of a second.
const INITIAL_RTT: Duration = Duration::from_millis(10);
/// What may be on its way on one stream.
const STREAM_WINDOW: u32 = 2 << 20;
/// What may be unacknowledged on one connection.
const SEND_WINDOW: u64 = 8 << 20;
/// Packets grow up to this where the path carries them: a tick's frames fit into one on loopback and jumbo frames. Ten of
/// them, which is what a system call sends, fit into the 64 KiB that it takes.
const LARGEST_PACKET: u16 = 6_000;
/// Packets flow one way on a connection, so that nothing carries their acknowledgements along: one for so many will do,
/// fewer than a connection may send before the first comes,
const UNACKNOWLEDGED: u32 = 8;
/// and none waits for longer.
const ACK_DELAY: Duration = Duration::from_millis(5);
/// Handshakes that wait to be looked at, and what they may take up.
const MOST_INCOMING: usize = 256;
const INCOMING_BYTES: u64 = 16 << 10;
const ALL_INCOMING_BYTES: u64 = 1 << 20;
/// What the system is asked to buffer: the endpoint's task may have to wait for a processor.
const SOCKET_BYTES: usize = 4 << 20;

/// The node's one socket: peers dial it, and peers are dialled from it.
pub(super) fn endpoint(listen: SocketAddr, identity: &Identity) -> io::Result<Endpoint> {
    let mut config = EndpointConfig::new(Arc::new(identity.reset_key.clone()));
    config.max_udp_payload_size(LARGEST_PACKET).map_err(io::Error::other)?;
    let key = identity.connection_id_key;
    config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(key)));
    let mut server = ServerConfig::with_crypto(identity.server.clone());
    // A peer that says hello on a stream is told how many more it may open.
    server
        .transport_config(Arc::new(transport(1)))
        .migration(false)
        .max_incoming(MOST_INCOMING)
        .incoming_buffer_size(INCOMING_BYTES)
        .incoming_buffer_size_total(ALL_INCOMING_BYTES);
    Endpoint::new(config, Some(server), socket(listen)?, Arc::new(TokioRuntime))
}

/// For connections that this node dials: the other side opens no streams on them.
pub(super) fn client(identity: &Identity) -> ClientConfig {
    let mut config = ClientConfig::new(identity.client.clone());
    config.transport_config(Arc::new(transport(0)));
    config
}

/// Segmentation offload stays on, and no datagrams are taken: they are dropped silently when there are too many.
fn transport(bidirectional: u32) -> TransportConfig {
    let mut acks = AckFrequencyConfig::default();
    acks.ack_eliciting_threshold(UNACKNOWLEDGED.into()).max_ack_delay(Some(ACK_DELAY));
    let mut sizes = MtuDiscoveryConfig::default();
    sizes.upper_bound(LARGEST_PACKET);
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(bidirectional.into())
        .max_concurrent_uni_streams(0u32.into())
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_MS))))
        .keep_alive_interval(Some(KEEP_ALIVE))
        .initial_rtt(INITIAL_RTT)
        .stream_receive_window(STREAM_WINDOW.into())
        .receive_window(STREAM_WINDOW.into())
        .send_window(SEND_WINDOW)
        .send_fairness(false)
        .ack_frequency_config(Some(acks))
        .mtu_discovery_config(Some(sizes))
        .enable_segmentation_offload(true)
        .datagram_receive_buffer_size(None);
    transport
}

fn socket(listen: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(listen), Type::DGRAM, Some(Protocol::UDP))?;
    if listen.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // The system may allow less, and says nothing then.
    socket.set_recv_buffer_size(SOCKET_BYTES)?;
    socket.set_send_buffer_size(SOCKET_BYTES)?;
    socket.bind(&listen.into())?;
    Ok(socket.into())
}
