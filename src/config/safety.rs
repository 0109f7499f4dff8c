//! What a node must not do without a secret.

use std::net::{IpAddr, SocketAddr};

use super::file::NodeSection;
use crate::types::{Error, Result};

const SECRET_HINT: &str = "set EMBERGRID_CLUSTER_SECRET or EMBERGRID_CLUSTER_SECRET_FILE; without a secret a node is \
                           alone and listens on loopback only";

/// Refuses addresses that are none, and whatever needs a secret and has none.
pub(super) fn check(node: &NodeSection, has_secret: bool) -> Result<()> {
    let advertised = [("advertise", &node.advertise), ("peer_advertise", &node.peer_advertise)];
    let advertised = advertised.into_iter().filter_map(|(key, address)| Some((key, address.as_deref()?)));
    let listening = [("listen", node.listen.as_str()), ("peer_listen", node.peer_listen.as_str())];
    for (key, address) in listening.into_iter().chain(advertised) {
        host(address).ok_or_else(|| {
            Error::invalid(format!("node.{key}: `{}` is not an address", address.escape_debug()))
                .hint("addresses are written host:port")
        })?;
    }
    if !has_secret {
        check_alone(node, listening)?;
    }
    check_reachable(node)
}

fn check_alone(node: &NodeSection, listening: [(&str, &str); 2]) -> Result<()> {
    let needs =
        |what: String| Err(Error::invalid(format!("{what} needs a cluster secret")).hint(SECRET_HINT));
    if let Some((key, address)) = listening.into_iter().find(|(_, address)| !is_loopback(address)) {
        return needs(format!("node.{key} = \"{address}\""));
    }
    if !node.seeds.0.is_empty() {
        return needs("node.seeds".to_owned());
    }
    if node.expect.is_some() {
        return needs("node.expect".to_owned());
    }
    Ok(())
}

/// An address that stands for all of a machine's is no place to send clients to.
fn check_reachable(node: &NodeSection) -> Result<()> {
    let everywhere =
        |address: &str| address.parse::<SocketAddr>().is_ok_and(|address| address.ip().is_unspecified());
    for (key, listen, advertise) in [
        ("advertise", &node.listen, &node.advertise),
        ("peer_advertise", &node.peer_listen, &node.peer_advertise),
    ] {
        if everywhere(advertise.as_deref().unwrap_or(listen)) {
            return Err(Error::invalid(format!(
                "node.{key} is missing: nobody can reach a node at {listen}"
            ))
            .hint(format!("say where it is reached: `--{}`", key.replace('_', "-"))));
        }
    }
    Ok(())
}

fn is_loopback(address: &str) -> bool {
    let Some(host) = host(address) else { return false };
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The host of `host:port`, without the brackets of IPv6.
fn host(address: &str) -> Option<&str> {
    let (host, port) = address.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    let host = match host.strip_prefix('[') {
        Some(inside) => inside.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    (!host.is_empty() && !host.contains(char::is_whitespace)).then_some(host)
}
