//! One shape of load.

/// How callers work; each waits for its answer before it calls again.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Callers at work at the same time.
    pub(crate) callers: usize,
    /// Operations a call.
    pub(crate) batch: usize,
    /// Operations in all.
    pub(crate) requests: u64,
}

impl Load {
    /// As `embergrid bench` and the rivals' scripts take it.
    pub(crate) fn arguments(self) -> [String; 3] {
        let Self { callers, batch, requests } = self;
        [format!("--callers={callers}"), format!("--batch={batch}"), format!("--requests={requests}")]
    }
}
