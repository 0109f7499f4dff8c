//! How streams learn that the server is to stop.

use std::future::Future;

use tokio::sync::watch;

/// Whether the server is to stop.
#[derive(Clone, Debug)]
pub(super) struct Stopping(watch::Receiver<bool>);

/// Tells everybody to stop.
#[derive(Debug)]
pub(super) struct Stopper(watch::Sender<bool>);

impl Stopping {
    pub(super) fn new() -> (Stopper, Stopping) {
        let (sender, receiver) = watch::channel(false);
        (Stopper(sender), Stopping(receiver))
    }

    /// Returns once the server is to stop.
    pub(super) fn wait(&self) -> impl Future<Output = ()> + Send + Sync + 'static {
        let mut receiver = self.0.clone();
        async move {
            // Without a sender the server is gone.
            let _ = receiver.wait_for(|stopping| *stopping).await;
        }
    }
}

impl Stopper {
    pub(super) fn stop(&self) {
        self.0.send_replace(true);
    }
}
