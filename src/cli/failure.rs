//! How a command failed, and the exit code that says so.

use std::{io, process::ExitCode};

use super::output::Output;
use crate::types::{Class, Error};

/// What a command returns.
pub(super) type Result<T = ()> = std::result::Result<T, Failure>;

/// Why a command did not finish.
#[derive(Debug)]
pub(super) enum Failure {
    /// The cluster, a file or a check refused.
    Refused(Error),
    /// The arguments contradict each other in a way that only the command can see.
    Usage(Error),
    /// Nobody reads our output any more (`embergrid .. | head`): no news to anyone.
    Closed,
    /// The data printed says what is wrong; there is nothing to add (`model verify`).
    Told,
}

impl Failure {
    /// Tells the user and gives the exit code: 0 done, 1 refused, 2 wrong usage, 3 unreachable, unavailable or
    /// deadline.
    pub(super) fn report(self, output: Output) -> ExitCode {
        match self {
            Failure::Refused(error) => {
                output.error(&error);
                exit_code(error.class)
            }
            Failure::Usage(error) => {
                output.error(&error);
                ExitCode::from(2)
            }
            Failure::Closed => ExitCode::SUCCESS,
            Failure::Told => ExitCode::from(1),
        }
    }
}

fn exit_code(class: Class) -> ExitCode {
    match class {
        Class::Unavailable | Class::Deadline => ExitCode::from(3),
        _ => ExitCode::from(1),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Refused(error)
    }
}

/// Errors of stdout. Files name themselves: see [`read_file`](super::context::read_file).
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Closed,
            _ => Failure::Refused(Error::internal(format!("cannot write the output: {error}"))),
        }
    }
}
