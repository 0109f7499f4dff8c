//! Tracing to stderr.

use std::io::{self, IsTerminal};

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use crate::types::{Error, Result};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// How log lines look.
    pub format: Format,
    /// Levels, as `RUST_LOG` takes them: `info`, `warn,embergrid::control=debug`. The consensus library says on `info`
    /// what only its authors want to know, so it is kept to warnings.
    pub filter: String,
}

impl Default for Options {
    fn default() -> Self {
        Options { format: Format::Text, filter: "info,openraft=off".to_owned() }
    }
}

/// Starts logging to stderr for the whole process; a second call changes nothing.
pub fn start_logging(options: &Options) -> Result<()> {
    let filter = EnvFilter::try_new(&options.filter).map_err(|error| {
        Error::invalid(format!("log filter `{}`: {error}", options.filter))
            .hint("for example `info` or `warn,embergrid::control=debug`")
    })?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // The first caller wins: tests start several nodes in one process.
    let _ = match options.format {
        Format::Text => lines.with_ansi(io::stderr().is_terminal()).with_target(false).try_init(),
        Format::Json => lines.json().flatten_event(true).try_init(),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_does_not_parse_is_refused() {
        let options = Options { filter: "info,=x=y".to_owned(), ..Options::default() };
        let error = start_logging(&options).expect_err("not a filter");
        assert!(error.message.starts_with("log filter `info,=x=y`: "), "{}", error.message);
    }
}
