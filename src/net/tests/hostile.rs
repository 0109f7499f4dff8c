use std::net::UdpSocket;

use quinn::{ClientConfig, Connection, Endpoint, SendStream};

use super::{warnings::Warnings, *};
use crate::net::{
    dial::{HANDSHAKE, Introduced},
    framing,
    hello::{Hello, Purpose, VERSION},
    identity::{ANY_NODE, Identity},
    stream::{Introduction, Messages},
    transport,
};

/// A client that speaks QUIC and knows what `identity` knows.
struct Client {
    endpoint: Endpoint,
    config: ClientConfig,
}

impl Client {
    fn new(secret: &[u8], id: u64) -> Self {
        let identity = Identity::derive(secret, NodeId(id)).unwrap();
        let endpoint = transport::endpoint("127.0.0.1:0".parse().unwrap(), &identity).unwrap();
        Client { endpoint, config: transport::client(&identity) }
    }

    async fn connect(&self, to: &Node) -> Result<Connection, quinn::ConnectionError> {
        let config = self.config.clone();
        soon(self.endpoint.connect_with(config, to.net.listening_at(), ANY_NODE).unwrap()).await
    }

    /// Connects and sends `first` on the stream of the hellos.
    async fn say(&self, to: &Node, first: &[u8]) -> (Connection, SendStream, Messages) {
        let connection = self.connect(to).await.unwrap();
        let (mut send, receive) = soon(connection.open_bi()).await.unwrap();
        soon(send.write_all(first)).await.unwrap();
        (connection, send, Messages::new(receive, 1 << 10))
    }
}

/// What the node says when it closes the connection.
async fn closed(connection: &Connection) -> String {
    soon(connection.closed()).await.to_string()
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_le_bytes()[..], bytes].concat()
}

fn hello(id: u64, purpose: Purpose) -> Vec<u8> {
    let peer = crate::net::Peer { node: NodeId(id), incarnation: Incarnation(1), cluster: 0 };
    let mut bytes = Vec::new();
    Hello { peer, address: "127.0.0.1:9".into(), purpose, process: 1 }.encode_into(&mut bytes).unwrap();
    framed(&bytes)
}

#[tokio::test]
async fn another_secret_is_refused_and_both_sides_say_so() {
    let mut warnings = Warnings::listen();
    let one = Node::start(options(1, &[]));
    let two = Node::start(Options { secret: b"quite another secret".to_vec(), ..options(2, &[&one]) });
    let reason = "its cluster secret is not this node's: give both the same EMBERGRID_CLUSTER_SECRET";
    let said = vec![
        format!("no connection to the seed {} at {}: {reason}", one.address(), one.address()),
        format!("a connection from {} was refused: {reason}", two.address()),
    ];
    warnings.hear(said).await;
    assert!(one.refused("secret") > 0 && two.refused("secret") > 0);
    assert!(one.net.seen().borrow().is_empty() && two.net.seen().borrow().is_empty());
}

#[tokio::test]
async fn another_cluster_is_refused_and_both_sides_say_so() {
    let mut warnings = Warnings::listen();
    let one = Node::start(Options { cluster: 1, ..options(1, &[]) });
    let two = Node::start(Options { cluster: 2, ..options(2, &[&one]) });
    let reason = "node 1 belongs to the cluster 0000000000000001, node 2 to 0000000000000002";
    let said = vec![
        format!("no connection to the seed {} at {}: {reason}", one.address(), one.address()),
        format!("a connection from {} was refused: {reason}", two.address()),
    ];
    warnings.hear(said).await;
    assert!(one.refused("cluster") > 0 && two.refused("cluster") > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_part_when_they_turn_out_to_belong_to_different_clusters() {
    let one = Node::start(options(1, &[]));
    let two = Node::start(options(2, &[&one]));
    one.sees(two.id).await;
    two.sees(one.id).await;
    one.net.introduce(Incarnation(1), 1);
    one.sees(two.id).await;
    two.net.introduce(Incarnation(1), 2);
    one.misses(two.id).await;
    two.misses(one.id).await;
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_said() {
    let mut warnings = Warnings::listen();
    let seeds = vec!["nowhere.invalid:7701".to_owned()];
    let _one = Node::start(Options { seeds, ..options(1, &[]) });
    warnings.hear(vec!["`nowhere.invalid:7701` does not resolve".to_owned()]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn junk_changes_nothing() {
    let one = Node::start(options(1, &[]));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for size in [0, 1, 20, 1_200, 9_000] {
        for byte in [0x00, 0x40, 0xc0, 0xff] {
            socket.send_to(&vec![byte; size], one.net.listening_at()).unwrap();
        }
    }
    let two = Node::start(options(2, &[&one]));
    one.sees(two.id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_without_a_certificate_is_refused() {
    let one = Node::start(options(1, &[]));
    let mut client = Client::new(SECRET, 5);
    let mut crypto =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Gullible))
            .with_no_client_auth();
    crypto.alpn_protocols = vec![b"embergrid-peer".to_vec()];
    client.config =
        ClientConfig::new(Arc::new(quinn::crypto::rustls::QuicClientConfig::try_from(crypto).unwrap()));
    // To the client the handshake may look complete before the node has seen that no certificate comes.
    let ended = match client.connect(&one).await {
        Ok(connection) => closed(&connection).await,
        Err(error) => error.to_string(),
    };
    assert!(ended.contains("certificate"), "{ended}");
    one.refuses("stranger", 1).await;
}

/// Believes whatever certificate it is shown.
#[derive(Debug)]
struct Gullible;

impl rustls::client::danger::ServerCertVerifier for Gullible {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        vec![rustls::SignatureScheme::ED25519]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_claims_another_id_than_its_certificate_is_refused() {
    let one = Node::start(options(1, &[]));
    let (connection, ..) = Client::new(SECRET, 5).say(&one, &hello(6, Purpose::Lane(Lane::Control))).await;
    let ended = closed(&connection).await;
    assert!(ended.contains("it calls itself node 6, and its certificate names another"), "{ended}");
    one.refuses("identity", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_with_the_nodes_id_is_refused() {
    let one = Node::start(options(1, &[]));
    let (connection, ..) = Client::new(SECRET, 1).say(&one, &hello(1, Purpose::Lane(Lane::Control))).await;
    let ended = closed(&connection).await;
    assert!(ended.contains("both have the id 1"), "{ended}");
    one.refuses("itself", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_version_is_refused() {
    let one = Node::start(options(1, &[]));
    let first = framed(&[&(VERSION + 1).to_le_bytes()[..], b"whatever it says then"].concat());
    let (connection, ..) = Client::new(SECRET, 5).say(&one, &first).await;
    let ended = closed(&connection).await;
    let said =
        format!("versions {VERSION} and {} of the peer protocol do not understand each other", VERSION + 1);
    assert!(ended.contains(&said), "{ended}");
    one.refuses("version", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hello_that_is_none_is_refused() {
    let one = Node::start(options(1, &[]));
    let client = Client::new(SECRET, 5);
    let torn = framed(&[&VERSION.to_le_bytes()[..], &[9, 9, 9]].concat());
    for (count, first) in [b"GET / HTTP/1.1\r\n\r\n".to_vec(), torn].into_iter().enumerate() {
        let (connection, ..) = client.say(&one, &first).await;
        closed(&connection).await;
        one.refuses("protocol", count as u64 + 1).await;
    }
}

/// A client that has been let in on a lane.
async fn member(one: &Node, client: &Client, lane: Lane) -> Introduced {
    let connection = client.connect(one).await.unwrap();
    let mut introduction = Introduction::new(soon(connection.open_bi()).await.unwrap());
    let bytes = hello(5, Purpose::Lane(lane));
    soon(introduction.send.write_all(&bytes)).await.unwrap();
    let hello = tokio::time::timeout(HANDSHAKE, introduction.hear()).await.unwrap().unwrap();
    Introduced {
        connection,
        introduction,
        hello,
        own: tokio::sync::watch::channel(crate::net::Peer {
            node: NodeId(5),
            incarnation: Incarnation(1),
            cluster: 0,
        })
        .1,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_past_the_bound_and_messages_that_are_none_end_the_connection() {
    let one = Node::start(options(1, &[]));
    one.net.receive(Lane::Data, |_, _: (u16, u64)| {});
    let client = Client::new(SECRET, 5);
    let mut oversized = ((16u32 << 20) + 1).to_le_bytes().to_vec();
    oversized.extend_from_slice(&[0; 100]);
    let mut undecodable = Vec::new();
    framing::append(&mut undecodable, 100, |out| {
        out.extend_from_slice(&[0xff; 30]);
        Ok::<_, framing::Oversized>(())
    })
    .unwrap();
    for (count, message) in [oversized, undecodable].into_iter().enumerate() {
        let member = member(&one, &client, Lane::Data).await;
        let mut stream = soon(member.connection.open_uni()).await.unwrap();
        soon(stream.write_all(&message)).await.unwrap();
        let ended = closed(&member.connection).await;
        assert!(ended.contains("message"), "{ended}");
        let refused = async {
            while one.refused("protocol") <= count as u64 {
                tokio::task::yield_now().await;
            }
        };
        soon(refused).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_connection_of_the_same_lane_ends_the_older() {
    let one = Node::start(options(1, &[]));
    let client = Client::new(SECRET, 5);
    let older = member(&one, &client, Lane::Data).await;
    let newer = member(&one, &client, Lane::Data).await;
    let ended = closed(&older.connection).await;
    assert!(ended.contains("the node has connected anew"), "{ended}");
    assert_eq!(newer.connection.close_reason(), None);
    let control = member(&one, &client, Lane::Control).await;
    assert_eq!(newer.connection.close_reason(), None);
    assert_eq!(control.hello.peer.node, one.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_opens_more_streams_than_the_lane_has() {
    let one = Node::start(options(1, &[]));
    let client = Client::new(SECRET, 5);
    let member = member(&one, &client, Lane::Data).await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        streams.push(soon(member.connection.open_uni()).await.unwrap());
    }
    assert!(futures_pending(member.connection.open_uni()).await);
    assert!(futures_pending(member.connection.open_bi()).await);
}

/// Whether a future has nothing to give at its first look.
async fn futures_pending<T>(future: impl Future<Output = T>) -> bool {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}
