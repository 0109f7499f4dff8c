//! What two nodes say of themselves before anything else.

use serde::{Deserialize, Serialize};

use super::{
    codec,
    lane::Lane,
    refusal::{Reason, Refusal},
};
use crate::types::{Incarnation, NodeId};

/// Rises with every change that an older node would misread.
pub(super) const VERSION: u16 = 2;
/// The longest hello, in bytes.
pub(super) const MAX_BYTES: usize = 1 << 10;
/// The longest address, in bytes.
const MAX_ADDRESS_BYTES: usize = 256;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Purpose {
    /// To learn who is there.
    Probe,
    /// The traffic of one lane.
    Lane(Lane),
}

/// Another node, as the certificate and the hello of its connection tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its id, which its certificate names.
    pub node: NodeId,
    /// Which start of it this is; zero until the control group has recorded it.
    pub incarnation: Incarnation,
    /// The cluster it belongs to; zero for none yet.
    pub cluster: u64,
}

/// What a node says of itself at the start of each connection, and again when it changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) peer: Peer,
    /// Where peers reach it.
    pub(super) address: String,
    /// What the connection is for; both sides say the same.
    pub(super) purpose: Purpose,
    /// Drawn at the start of the process: another one has another.
    pub(super) process: u64,
}

impl Hello {
    /// The version first, so that every version can read that much of every other.
    pub(super) fn encode_into(&self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        out.extend_from_slice(&VERSION.to_le_bytes());
        codec::encode_into(self, out).map_err(Refusal::protocol)
    }

    /// Reads a hello; refuses other versions.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let Some((version, rest)) = bytes.split_first_chunk() else {
            return Err(Refusal::protocol("a hello without a version"));
        };
        let version = u16::from_le_bytes(*version);
        if version != VERSION {
            let text =
                format!("versions {VERSION} and {version} of the peer protocol do not understand each other");
            return Err(Refusal::new(Reason::Version, text));
        }
        let hello: Hello = codec::decode(rest).map_err(Refusal::protocol)?;
        if hello.address.len() > MAX_ADDRESS_BYTES || hello.address.contains(char::is_control) {
            return Err(Refusal::protocol("a hello whose address is none"));
        }
        Ok(hello)
    }

    /// Whether this node may talk to the one that said `other`, whose certificate was already compared.
    pub(super) fn judge(&self, other: &Hello) -> Result<(), Refusal> {
        let (mine, others) = (self.peer, other.peer);
        if mine.node == others.node {
            let text =
                format!("both have the id {}: a node met itself, or a data folder was copied", mine.node);
            return Err(Refusal::new(Reason::Itself, text));
        }
        if mine.cluster != 0 && others.cluster != 0 && mine.cluster != others.cluster {
            let text = format!(
                "node {} belongs to the cluster {:016x}, node {} to {:016x}",
                mine.node, mine.cluster, others.node, others.cluster
            );
            return Err(Refusal::new(Reason::Cluster, text));
        }
        if self.purpose != other.purpose {
            return Err(Refusal::protocol("the two sides of a connection differ about what it is for"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(node: u64, cluster: u64) -> Hello {
        let peer = Peer { node: NodeId(node), incarnation: Incarnation(3), cluster };
        Hello { peer, address: "a:7701".into(), purpose: Purpose::Lane(Lane::Data), process: 7 }
    }

    fn bytes(hello: &Hello) -> Vec<u8> {
        let mut out = Vec::new();
        hello.encode_into(&mut out).unwrap();
        out
    }

    #[test]
    fn a_hello_survives() {
        let hello = hello(1, 2);
        let bytes = bytes(&hello);
        assert!(bytes.len() <= MAX_BYTES);
        assert_eq!(Hello::decode(&bytes), Ok(hello));
    }

    #[test]
    fn another_version_is_named_before_anything_is_read() {
        let refusal = Hello::decode(&[7, 1, 0xff]).unwrap_err();
        assert_eq!(refusal.reason, Reason::Version);
        assert_eq!(
            refusal.text,
            format!("versions {VERSION} and 263 of the peer protocol do not understand each other")
        );
        assert_eq!(Hello::decode(&[1]).unwrap_err().reason, Reason::Protocol);
        assert_eq!(Hello::decode(&[VERSION as u8, 0, 9]).unwrap_err().reason, Reason::Protocol);
    }

    #[test]
    fn an_address_is_bounded() {
        let long = Hello { address: "x".repeat(MAX_ADDRESS_BYTES + 1), ..hello(1, 2) };
        let torn = Hello { address: "a\n:1".into(), ..hello(1, 2) };
        for hello in [long, torn] {
            assert_eq!(Hello::decode(&bytes(&hello)).unwrap_err().reason, Reason::Protocol);
        }
    }

    #[test]
    fn clusters_must_agree_once_both_have_one() {
        for (mine, others) in [(0, 0), (0, 5), (5, 0), (5, 5)] {
            assert_eq!(hello(1, mine).judge(&hello(2, others)), Ok(()));
        }
        let refusal = hello(1, 5).judge(&hello(2, 6)).unwrap_err();
        assert_eq!(refusal.reason, Reason::Cluster);
        assert_eq!(
            refusal.text,
            "node 1 belongs to the cluster 0000000000000005, node 2 to 0000000000000006"
        );
    }

    #[test]
    fn nobody_talks_to_itself_or_at_cross_purposes() {
        assert_eq!(hello(1, 5).judge(&hello(1, 5)).unwrap_err().reason, Reason::Itself);
        let probe = Hello { purpose: Purpose::Probe, ..hello(2, 5) };
        assert_eq!(hello(1, 5).judge(&probe).unwrap_err().reason, Reason::Protocol);
    }
}
