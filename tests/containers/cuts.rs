//! Cuts between a node and its peers, by rules of the packet filter in the container's own network. Clients still reach it,
//! which is the harder of cuts: it may believe that all is well.

use std::process::Command;

use crate::Told;
use crate::nodes::{Node, run};

/// The port of the peers, theirs and its own.
const PORT: &str = "7701";

/// Which way a node is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Nothing comes in,
    Deaf,
    /// nothing goes out,
    Mute,
    /// or neither.
    Both,
}

impl Way {
    /// The name used in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Way::Deaf => "deaf",
            Way::Mute => "mute",
            Way::Both => "both",
        }
    }
}

/// Cuts the node off from all peers, or from one.
pub(crate) fn cut(node: Node, way: Way, from: Option<Node>) -> Told<()> {
    let peer = from.map(Node::peer_address).transpose()?;
    let drop = |chain: &'static str, side: &'static str| {
        let mut rule = vec!["--append", chain, "--protocol", "udp", "--dport", PORT, "--jump", "DROP"];
        rule.extend(peer.iter().flat_map(|address| [side, address.as_str()]));
        filter(node, &rule)
    };
    if way != Way::Mute {
        drop("INPUT", "--source")?;
    }
    if way != Way::Deaf {
        drop("OUTPUT", "--destination")?;
    }
    Ok(())
}

/// Lifts all cuts of the node.
pub(crate) fn heal(node: Node) -> Told<()> {
    filter(node, &["--flush"])
}

fn filter(node: Node, rule: &[&str]) -> Told<()> {
    let process = node.process()?;
    let within = ["--target", &process, "--net", "iptables", "--wait"];
    run(Command::new("nsenter").args(within).args(rule)).map(drop)
}
