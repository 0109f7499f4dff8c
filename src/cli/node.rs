//! `embergrid node`

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::{
    context::Context,
    failure::{Failure, Result},
    interrupt::Interrupt,
    running::Running,
};
use crate::{
    config::{Flags, Settings},
    node::{self, Burden},
    server::Server,
    telemetry::start_logging,
};

/// Run a node until Ctrl-C or SIGTERM; a second signal ends it at once.
///
/// Settings come from the file, from `EMBERGRID_SECTION__KEY` in the environment and from the command line; the later
/// ones win. Prints its address once it serves.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid node --data-dir ./data --listen 127.0.0.1:7700")]
pub(super) struct Node {
    #[command(flatten)]
    flags: Flags,
}

impl Node {
    pub(super) fn run(self, context: &Context) -> Result {
        let settings = Settings::load(&self.flags, std::env::vars_os())?;
        if self.flags.print_config {
            return Ok(context.output.answer(&settings.config, settings.to_toml()?.trim_end())?);
        }
        start_logging(&settings.telemetry)?;
        node::runtime()?.block_on(serve(context, settings))
    }
}

async fn serve(context: &Context, mut settings: Settings) -> Result {
    let mut interrupt = Interrupt::listen()?;
    // The port comes first: whether it is free is known at once.
    let server = Server::bind(&settings.listen).await?;
    let address = server.address()?;
    settings.listening_at(address);
    let data_dir = settings.node.data_dir.clone();
    let mut running = tokio::select! {
        running = Running::start(server, settings.node, settings.server) => running?,
        () = interrupt.wait() => return Ok(()),
    };
    let cluster = running.grid().cluster();
    let kept = match &data_dir {
        Some(folder) => format!("definitions and models are kept in {}", folder.display()),
        None => "nothing is kept: no --data-dir".to_owned(),
    };
    let text = format!("cluster {cluster:016x}: clients at {address}; rows are in memory, {kept}");
    let object =
        json!({ "addr": address.to_string(), "cluster": format!("{cluster:016x}"), "data_dir": data_dir });
    match context.output.answer(&object, text).map_err(Failure::from) {
        // Nobody reads what a node prints: it serves all the same.
        Ok(()) | Err(Failure::Closed) => {}
        Err(failure) => return Err(failure),
    }
    let within = Duration::from_secs(settings.config.node.drain_timeout_s.into());
    let grid = running.grid();
    let asked = async {
        interrupt.wait().await;
        if !within.is_zero() {
            grid.leave(within, tell).await;
        }
    };
    let ended = tokio::select! {
        () = asked => Ok(()),
        error = running.failure() => Err(error.into()),
    };
    drop(grid);
    tracing::info!("shutting down");
    running.shutdown().await;
    ended
}

fn tell(Burden { primaries, backups }: Burden) {
    tracing::info!(primaries, backups, "giving away what this node holds; a second signal ends it at once");
}
