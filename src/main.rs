//! The `embergrid` binary: parse the arguments, hand over to [`embergrid::cli`].

use std::process::ExitCode;

use embergrid::cli::Cli;

fn main() -> ExitCode {
    if cfg!(feature = "mutants") {
        eprintln!(
            "embergrid: built with the feature `mutants`, which is for the simulator alone: it does not start"
        );
        return ExitCode::FAILURE;
    }
    match Cli::from_arguments(std::env::args_os()) {
        Ok(cli) => cli.run(),
        Err(usage) => usage.report(),
    }
}
