//! Dialling another node, and what both sides go on saying of themselves.

use std::{net::SocketAddr, time::Duration};

use quinn::Connection;
use tokio::{sync::watch, time::timeout};

use super::{
    hello::{Hello, Peer, Purpose},
    identity::{self, ANY_NODE},
    refusal::{Reason, Refusal},
    resolve::resolve,
    shared::Shared,
    stream::Introduction,
};
use crate::types::NodeId;

/// How long a handshake and the first hellos may take.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(3);

/// A connection on which both sides know who they are.
pub(super) struct Introduced {
    pub(super) connection: Connection,
    pub(super) introduction: Introduction,
    /// What the other side has said.
    pub(super) hello: Hello,
    /// This node's own news, from the hello on that it has said.
    pub(super) own: watch::Receiver<Peer>,
}

impl Shared {
    /// Connects to `address`, at whichever of its addresses answers first in their order.
    pub(super) async fn dial(
        &self,
        address: &str,
        expected: Option<NodeId>,
        purpose: Purpose,
    ) -> Result<Introduced, Refusal> {
        let mut worst = None;
        for to in resolve(address, self.local).await? {
            match self.dial_at(to, expected, purpose).await {
                Ok(introduced) => return Ok(introduced),
                Err(refusal) if refusal.reason.is_refusal() => worst = Some(refusal),
                Err(refusal) => worst = worst.or(Some(refusal)),
            }
        }
        Err(worst.unwrap_or_else(|| Refusal::unreachable("no address")))
    }

    /// Connects to one address.
    pub(super) async fn dial_at(
        &self,
        to: SocketAddr,
        expected: Option<NodeId>,
        purpose: Purpose,
    ) -> Result<Introduced, Refusal> {
        let attempt = async {
            let connecting = self.endpoint.connect_with(self.client.clone(), to, ANY_NODE);
            let connection = connecting.map_err(Refusal::unreachable)?.await?;
            let met = self.meet(&connection, expected, purpose).await;
            met.map(|(introduction, hello, own)| Introduced {
                connection: connection.clone(),
                introduction,
                hello,
                own,
            })
            .map_err(|refusal| end(&connection, refusal))
        };
        timeout(HANDSHAKE, attempt).await.unwrap_or_else(|_| Err(Refusal::unreachable("no answer")))
    }

    async fn meet(
        &self,
        connection: &Connection,
        expected: Option<NodeId>,
        purpose: Purpose,
    ) -> Result<(Introduction, Hello, watch::Receiver<Peer>), Refusal> {
        // Who is not the one that was sought is met all the same, and nothing more: a lane would end the lane that it has.
        let is_sought = expected.is_none_or(|expected| identity::names(connection, expected));
        let purpose = if is_sought { purpose } else { Purpose::Probe };
        let mut introduction = Introduction::new(connection.open_bi().await?);
        let mut own = self.own.subscribe();
        own.borrow_and_update();
        introduction.say(&self.hello(purpose)).await?;
        let hello = introduction.hear().await?;
        self.judge(connection, &hello, purpose)?;
        match expected {
            Some(expected) if expected != hello.peer.node => Err(Refusal::new(
                Reason::Unexpected,
                format!("node {} answers where node {expected} was expected", hello.peer.node),
            )),
            _ => Ok((introduction, hello, own)),
        }
    }

    /// Whether to talk to the one who said `hello` and showed its certificate.
    pub(super) fn judge(
        &self,
        connection: &Connection,
        hello: &Hello,
        purpose: Purpose,
    ) -> Result<(), Refusal> {
        if self.identity.is_own(connection) {
            return Err(Refusal::new(Reason::Done, "this is the node itself"));
        }
        if !identity::names(connection, hello.peer.node) {
            let text = format!("it calls itself node {}, and its certificate names another", hello.peer.node);
            return Err(Refusal::new(Reason::Identity, text));
        }
        self.hello(purpose).judge(hello)
    }

    /// Says what changes on this side, and hears what changes on the other, until the connection ends or the two do
    /// not belong together any more.
    pub(super) async fn converse(
        &self,
        connection: &Connection,
        introduction: &mut Introduction,
        first: &Hello,
        own: &mut watch::Receiver<Peer>,
        news: impl Fn(&Hello),
    ) -> Refusal {
        loop {
            let heard = tokio::select! {
                changed = own.changed() => match changed {
                    Ok(()) => introduction.say(&self.hello(first.purpose)).await.map(|()| None),
                    Err(_) => Err(Refusal::new(Reason::Stopping, "the node is stopping")),
                },
                heard = introduction.hear() => heard.map(Some),
            };
            let judged = heard.and_then(|heard| {
                let Some(hello) = heard else { return Ok(()) };
                if hello.peer.node != first.peer.node {
                    return Err(Refusal::protocol("a node has changed its id"));
                }
                self.hello(first.purpose).judge(&hello)?;
                news(&hello);
                Ok(())
            });
            if let Err(refusal) = judged {
                return end(connection, refusal);
            }
        }
    }
}

/// Ends a connection; what the other side said at its end, if it ended it, says more than the failure on this side.
pub(super) fn end(connection: &Connection, refusal: Refusal) -> Refusal {
    match connection.close_reason() {
        Some(reason) => reason.into(),
        None => {
            refusal.close(connection);
            refusal
        }
    }
}
