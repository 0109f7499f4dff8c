//! Who a node is: certificates under an authority that comes from the cluster's secret.
//!
//! Whoever knows the secret can derive the authority's key and issue itself a certificate for its node id; nothing is
//! handed out or kept on disk. A stranger who connects is shown a certificate and could try guesses of the secret
//! against it, so the key is stretched; the secret should still be drawn at random. Certificates are valid from 1975 to
//! 4096: whether clocks agree does not matter, and leaving the cluster means changing its secret.

use std::{num::NonZeroU32, sync::Arc};

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, PKCS_ED25519,
};
use ring::{hmac, pbkdf2};
use rustls::{
    RootCertStore,
    client::{Resumption, verify_server_name},
    crypto::{CryptoProvider, ring::default_provider},
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
    server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier},
    version::TLS13,
};

use crate::types::{Error, NodeId, Result};

/// Every certificate of a cluster carries this name: who is dialled may not be known yet.
pub(super) const ANY_NODE: &str = "node.embergrid.internal";
/// What is spoken on the peer port.
const PROTOCOL: &[u8] = b"embergrid-peer";
/// Some tens of milliseconds at each start of a node, and for each guess.
const STRETCH: NonZeroU32 = NonZeroU32::new(100_000).expect("not zero");
/// An Ed25519 key in PKCS #8 is this and the 32 bytes of the seed (RFC 8410).
const PKCS8_HEAD: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// What a node shows of itself, and what it accepts of others.
pub(super) struct Identity {
    pub(super) server: Arc<QuicServerConfig>,
    pub(super) client: Arc<QuicClientConfig>,
    certificate: CertificateDer<'static>,
    /// With it a restarted node tells peers that their old connections are gone, at once.
    pub(super) reset_key: hmac::Key,
    /// Marks the ids of this node's connections across its restarts, for the same reason.
    pub(super) connection_id_key: u64,
}

impl Identity {
    /// The identity of `node` in the cluster of `secret`, with a fresh key.
    pub(super) fn derive(secret: &[u8], node: NodeId) -> Result<Self> {
        let seed = stretch(secret);
        let authority = authority(&seed).map_err(failed)?;
        let key = KeyPair::generate_for(&PKCS_ED25519).map_err(failed)?;
        let certificate = certificate(node, &key, &authority.issuer).map_err(failed)?;
        let key = key.serialize_der();
        let (server, client) = configs(authority.root, certificate.clone(), &key).map_err(failed)?;
        Ok(Identity {
            server: Arc::new(QuicServerConfig::try_from(server).map_err(failed)?),
            client: Arc::new(QuicClientConfig::try_from(client).map_err(failed)?),
            certificate,
            reset_key: hmac::Key::new(
                hmac::HMAC_SHA256,
                &of_node("embergrid 2026-11 reset key", &seed, node),
            ),
            connection_id_key: u64::from_le_bytes(
                *of_node("embergrid 2026-11 connection ids", &seed, node).first_chunk().unwrap_or(&[0; 8]),
            ),
        })
    }

    /// Whether the other side is this very process: it has shown this node's certificate.
    pub(super) fn is_own(&self, connection: &quinn::Connection) -> bool {
        shown(connection).is_some_and(|certificate| certificate == self.certificate)
    }
}

/// Whether the certificate that a peer has proved to own names `node`.
pub(super) fn names(connection: &quinn::Connection, node: NodeId) -> bool {
    let Some(certificate) = shown(connection) else { return false };
    let Ok(name) = ServerName::try_from(name_of(node)) else { return false };
    ParsedCertificate::try_from(&certificate).is_ok_and(|parsed| verify_server_name(&parsed, &name).is_ok())
}

/// The certificate that the other side has proved to own.
fn shown(connection: &quinn::Connection) -> Option<CertificateDer<'static>> {
    let chain = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    chain.into_iter().next()
}

struct Authority {
    root: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

fn stretch(secret: &[u8]) -> [u8; 32] {
    let mut seed = [0; 32];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        STRETCH,
        b"embergrid 2026-11 peer authority",
        secret,
        &mut seed,
    );
    seed
}

fn of_node(context: &str, seed: &[u8; 32], node: NodeId) -> [u8; 32] {
    let material = [&seed[..], &node.0.to_le_bytes()].concat();
    blake3::derive_key(context, &material)
}

/// The same on every node with the same seed. Its name tells two authorities apart, so that one is not taken for the
/// other with a broken signature.
fn authority(seed: &[u8; 32]) -> std::result::Result<Authority, rcgen::Error> {
    let pkcs8 = PrivatePkcs8KeyDer::from([&PKCS8_HEAD[..], seed].concat());
    let key = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, &PKCS_ED25519)?;
    let mut params = CertificateParams::default();
    let digest = blake3::hash(key.public_key_raw()).to_hex();
    params.distinguished_name.push(DnType::CommonName, format!("embergrid {}", &digest[..16]));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let root = params.self_signed(&key)?.der().clone();
    Ok(Authority { root, issuer: Issuer::new(params, key) })
}

fn certificate(
    node: NodeId,
    key: &KeyPair,
    issuer: &Issuer<'static, KeyPair>,
) -> std::result::Result<CertificateDer<'static>, rcgen::Error> {
    let mut params = CertificateParams::new([ANY_NODE.to_owned(), name_of(node)])?;
    params.distinguished_name.push(DnType::CommonName, name_of(node));
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params.signed_by(key, issuer)?.der().clone())
}

fn name_of(node: NodeId) -> String {
    format!("{:016x}.embergrid.internal", node.0)
}

/// Both sides show the certificate and ask for the other's. No session is resumed: each connection proves who it is.
fn configs(
    root: CertificateDer<'static>,
    certificate: CertificateDer<'static>,
    key: &[u8],
) -> std::result::Result<(rustls::ServerConfig, rustls::ClientConfig), Box<dyn std::error::Error>> {
    let provider: Arc<CryptoProvider> = Arc::new(default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(root)?;
    let roots = Arc::new(roots);
    let key = || PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.to_vec()));
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider)).build()?;
    let mut server = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate.clone()], key())?;
    server.alpn_protocols = vec![PROTOCOL.to_vec()];
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    let mut client = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate], key())?;
    client.alpn_protocols = vec![PROTOCOL.to_vec()];
    client.resumption = Resumption::disabled();
    Ok((server, client))
}

fn failed(fault: impl std::fmt::Display) -> Error {
    Error::internal(format!("the node's certificate could not be made: {fault}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::pki_types::UnixTime;

    use super::*;

    #[test]
    fn one_secret_gives_one_authority() {
        let root = |secret: &[u8]| authority(&stretch(secret)).unwrap().root;
        assert_eq!(root(b"one secret"), root(b"one secret"));
        assert_ne!(root(b"one secret"), root(b"another secret"));
    }

    #[test]
    fn clocks_need_not_agree() {
        let authority = authority(&stretch(b"secret")).unwrap();
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let certificate = certificate(NodeId(7), &key, &authority.issuer).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(authority.root).unwrap();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()))
                .build()
                .unwrap();
        for years_since_1970 in [10, 56, 1_000] {
            let now = UnixTime::since_unix_epoch(Duration::from_secs(years_since_1970 * 31_557_600));
            assert!(verifier.verify_client_cert(&certificate, &[], now).is_ok(), "{years_since_1970}");
        }
    }

    #[test]
    fn a_certificate_names_its_node_alone() {
        let authority = authority(&stretch(b"secret")).unwrap();
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let certificate = certificate(NodeId(7), &key, &authority.issuer).unwrap();
        let parsed = ParsedCertificate::try_from(&certificate).unwrap();
        let names = |name: String| verify_server_name(&parsed, &ServerName::try_from(name).unwrap()).is_ok();
        assert!(names(ANY_NODE.to_owned()));
        assert!(names(name_of(NodeId(7))));
        assert!(!names(name_of(NodeId(8))));
    }
}
