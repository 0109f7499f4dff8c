//! Ctrl-C and SIGTERM: the first asks the command to end cleanly, the second ends the process at once.

use tokio::sync::watch;

use crate::types::{Error, Result};

/// Tells a command that the user wants it to end.
#[derive(Clone, Debug)]
pub(super) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Begins to listen; until then a signal ends the process as it always does.
    pub(super) fn listen() -> Result<Self> {
        let mut signals = Signals::new()?;
        let (asked, interrupt) = watch::channel(false);
        tokio::spawn(async move {
            signals.next().await;
            asked.send_replace(true);
            signals.next().await;
            std::process::exit(130);
        });
        Ok(Interrupt(interrupt))
    }

    /// Returns once the user asks.
    pub(super) async fn wait(&mut self) {
        // The sender lives as long as the runtime.
        let _ = self.0.wait_for(|asked| *asked).await;
    }
}

fn refused(error: std::io::Error) -> Error {
    Error::internal(format!("cannot listen for signals: {error}"))
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt()).map_err(refused)?,
            terminate: signal(SignalKind::terminate()).map_err(refused)?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Result<Self> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!("{}", refused(error));
            std::future::pending::<()>().await;
        }
    }
}
