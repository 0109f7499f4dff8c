//! A node, and the server through which clients use it.

use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    node::{self, Grid, Node},
    server::{Limits, Server},
    types::{Error, Result},
};

/// A node that serves.
pub(super) struct Running {
    node: Node,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<()>>,
}

impl Running {
    /// Starts a node that clients reach through `server`, each within `limits`.
    pub(super) async fn start(server: Server, options: node::Options, limits: Limits) -> Result<Self> {
        let node = server.until_started(Node::start(options)).await?;
        let (stop, stopped) = oneshot::channel();
        // A sender that is gone stops the server too.
        let serving = server.serve(node.grid(), limits, async { drop(stopped.await) });
        Ok(Running { node, stop, serving: tokio::spawn(serving) })
    }

    /// What the node holds.
    pub(super) fn grid(&self) -> Grid {
        self.node.grid()
    }

    /// Returns only if the node or its server ends by itself.
    pub(super) async fn failure(&mut self) -> Error {
        let served = tokio::select! {
            served = &mut self.serving => served,
            error = self.node.failed() => return error,
        };
        match served {
            Ok(Ok(())) => Error::internal("the server ended"),
            Ok(Err(error)) => error,
            Err(panic) => Error::internal(format!("the server ended: {panic}")),
        }
    }

    /// Ends clients' streams, then the node.
    pub(super) async fn shutdown(self) {
        // A server that is gone needs no telling.
        let _ = self.stop.send(());
        if !self.serving.is_finished()
            && let Ok(Err(error)) = self.serving.await
        {
            tracing::warn!("{error}");
        }
        self.node.shutdown().await;
    }
}
