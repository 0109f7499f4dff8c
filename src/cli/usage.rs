//! Arguments that do not parse, and the help that was asked for.

use std::{ffi::OsString, process::ExitCode};

use clap::error::ErrorKind;

use super::output::Output;
use crate::types::Error;

/// What there is to say instead of running a command.
#[derive(Debug)]
pub struct Usage {
    error: clap::Error,
    json: bool,
}

impl Usage {
    /// `arguments` did not parse, so whether JSON was asked for is read off them as they are.
    pub(super) fn new(error: clap::Error, arguments: &[OsString]) -> Self {
        Usage { error, json: arguments.iter().any(|argument| argument == "--json") }
    }

    /// Prints the help on stdout, or what is wrong on stderr; gives the exit code, 0 or 2.
    pub fn report(self) -> ExitCode {
        let asked = matches!(self.error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        if self.json && !asked {
            let text = self.error.render().to_string();
            let (message, hint) = split(&text);
            Output::new(true).error(&Error::invalid(message.to_owned()).hint(hint.to_owned()));
        } else {
            // A closed stdout or stderr leaves nobody to tell.
            let _ = self.error.print();
        }
        if asked { ExitCode::SUCCESS } else { ExitCode::from(2) }
    }
}

/// What is wrong stands in clap's first paragraph; the usage and where to read more after it.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim().trim_start_matches("error: ");
    text.split_once("\n\n").unwrap_or((text, "see --help"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_the_first_paragraph() {
        let text = "error: unexpected argument '--x' found\n\nUsage: embergrid map list\n\nFor more, try '--help'.\n";
        assert_eq!(
            split(text),
            ("unexpected argument '--x' found", "Usage: embergrid map list\n\nFor more, try '--help'.")
        );
        assert_eq!(split("error: odd"), ("odd", "see --help"));
    }
}
