//! From `host:port` to where to send.

use std::net::SocketAddr;

use super::refusal::Refusal;

/// The most addresses that one name is tried at.
const MOST: usize = 64;

/// Looks an address up anew: names move. A socket for IPv4 reaches nothing else.
pub(super) async fn resolve(address: &str, from: SocketAddr) -> Result<Vec<SocketAddr>, Refusal> {
    let found = tokio::net::lookup_host(address).await;
    let found =
        found.map_err(|error| Refusal::unreachable(format!("`{address}` does not resolve: {error}")))?;
    let found: Vec<SocketAddr> = found.filter(|to| to.is_ipv4() || from.is_ipv6()).take(MOST).collect();
    match found.is_empty() {
        true => Err(Refusal::unreachable(format!("`{address}` has no address that {from} can reach"))),
        false => Ok(found),
    }
}
