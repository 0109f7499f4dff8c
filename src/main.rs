//! The `embergrid` binary: parse the arguments, hand over to [`embergrid::cli`].

use std::process::ExitCode;

use embergrid::cli::Cli;

fn main() -> ExitCode {
    match Cli::from_arguments(std::env::args_os()) {
        Ok(cli) => cli.run(),
        Err(usage) => usage.report(),
    }
}
