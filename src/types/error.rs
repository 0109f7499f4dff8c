//! The error that reaches a user: a class, what happened, and what to do about it.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

/// What kind of failure it is. Every surface (gRPC, HTTP, exit codes) maps from this one enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The request can never succeed as it stands.
    Invalid,
    /// The thing named is not there.
    NotFound,
    /// The state is not what the request requires.
    Conflict,
    /// This node does not hold the partition; the hint says who does.
    NotPrimary,
    /// No room; the operation is untouched and may be retried after a pause.
    Overloaded,
    /// The partition or node cannot serve now.
    Unavailable,
    /// Not finished in time.
    Deadline,
    /// Who is asking is unknown.
    Unauthenticated,
    /// Who is asking may not.
    Denied,
    /// A fault of ours.
    Internal,
}

impl Class {
    /// The name used in JSON and messages.
    pub fn name(self) -> &'static str {
        match self {
            Class::Invalid => "invalid",
            Class::NotFound => "not_found",
            Class::Conflict => "conflict",
            Class::NotPrimary => "not_primary",
            Class::Overloaded => "overloaded",
            Class::Unavailable => "unavailable",
            Class::Deadline => "deadline",
            Class::Unauthenticated => "unauthenticated",
            Class::Denied => "denied",
            Class::Internal => "internal",
        }
    }
}

/// A refusal as the user sees it.
///
/// The message says what and where; the hint says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// What kind of failure.
    pub class: Class,
    /// What happened, and where.
    pub message: Cow<'static, str>,
    /// What to do about it.
    #[serde(default)]
    pub hint: Option<Cow<'static, str>>,
}

/// A result whose error a user can read.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A refusal of the given class.
    pub fn new(class: Class, message: impl Into<Cow<'static, str>>) -> Self {
        Error { class, message: message.into(), hint: None }
    }

    /// The request can never succeed as it stands.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(Class::Invalid, message)
    }

    /// The thing named is not there.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(Class::NotFound, message)
    }

    /// The state is not what the request requires.
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(Class::Conflict, message)
    }

    /// No room; retry after a pause.
    pub fn overloaded(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(Class::Overloaded, message)
    }

    /// Cannot serve now.
    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(Class::Unavailable, message)
    }

    /// Not finished in time.
    pub fn deadline(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(Class::Deadline, message)
    }

    /// A fault of ours.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(Class::Internal, message)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says where it happened, in front of the message.
    #[must_use]
    pub fn within(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message).into();
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// The candidate closest to `name`, for "did you mean" hints; none if all are far off.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_suggests_only_what_is_close() {
        assert_eq!(nearest("mean_radus", ["mean_texture", "mean_radius"]), Some("mean_radius"));
        assert_eq!(nearest("zzz", ["mean_texture", "mean_radius"]), None);
    }

    #[test]
    fn display_shows_the_hint() {
        let error = Error::invalid("no column `a`").hint("did you mean `b`?").within("row 3");
        assert_eq!(error.to_string(), "row 3: no column `a` (did you mean `b`?)");
    }
}
