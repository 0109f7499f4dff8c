//! Refusals on the wire: beside one operation, or as the status of a whole call.

use prost::Message;
use tonic::{Code, Status, metadata::MetadataValue};

use super::v1;
use crate::types::{Class, Error};

/// The trailer that carries the class, the message and the hint of a refused call.
const TRAILER: &str = "embergrid-error-bin";
/// A trailer must fit into a header frame: longer texts are cut.
const MAX_TEXT_BYTES: usize = 2048;

impl From<Class> for v1::ErrorClass {
    fn from(class: Class) -> Self {
        match class {
            Class::Invalid => v1::ErrorClass::Invalid,
            Class::NotFound => v1::ErrorClass::NotFound,
            Class::Conflict => v1::ErrorClass::Conflict,
            Class::NotPrimary => v1::ErrorClass::NotPrimary,
            Class::Overloaded => v1::ErrorClass::Overloaded,
            Class::Unavailable => v1::ErrorClass::Unavailable,
            Class::Deadline => v1::ErrorClass::Deadline,
            Class::Unauthenticated => v1::ErrorClass::Unauthenticated,
            Class::Denied => v1::ErrorClass::Denied,
            Class::Internal => v1::ErrorClass::Internal,
        }
    }
}

impl From<v1::ErrorClass> for Class {
    fn from(class: v1::ErrorClass) -> Self {
        match class {
            v1::ErrorClass::Invalid => Class::Invalid,
            v1::ErrorClass::NotFound => Class::NotFound,
            v1::ErrorClass::Conflict => Class::Conflict,
            v1::ErrorClass::NotPrimary => Class::NotPrimary,
            v1::ErrorClass::Overloaded => Class::Overloaded,
            v1::ErrorClass::Unavailable => Class::Unavailable,
            v1::ErrorClass::Deadline => Class::Deadline,
            v1::ErrorClass::Unauthenticated => Class::Unauthenticated,
            v1::ErrorClass::Denied => Class::Denied,
            v1::ErrorClass::Internal => Class::Internal,
        }
    }
}

impl From<Error> for v1::Error {
    fn from(error: Error) -> Self {
        v1::Error {
            class: v1::ErrorClass::from(error.class).into(),
            message: error.message.into_owned(),
            hint: error.hint.map(Into::into),
        }
    }
}

impl From<v1::Error> for Error {
    fn from(error: v1::Error) -> Self {
        let class = error.class().into();
        Error { class, message: error.message.into(), hint: error.hint.map(Into::into) }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let code = match error.class {
            Class::Invalid => Code::InvalidArgument,
            Class::NotFound => Code::NotFound,
            Class::Conflict => Code::Aborted,
            Class::NotPrimary | Class::Unavailable => Code::Unavailable,
            Class::Overloaded => Code::ResourceExhausted,
            Class::Deadline => Code::DeadlineExceeded,
            Class::Unauthenticated => Code::Unauthenticated,
            Class::Denied => Code::PermissionDenied,
            Class::Internal => Code::Internal,
        };
        let mut wire = v1::Error::from(error.clone());
        cut(&mut wire.message);
        wire.hint.as_mut().map(cut);
        let mut message = error.to_string();
        cut(&mut message);
        let mut status = Status::new(code, message);
        status.metadata_mut().insert_bin(TRAILER, MetadataValue::from_bytes(&wire.encode_to_vec()));
        status
    }
}

fn cut(text: &mut String) {
    let end = (0..=MAX_TEXT_BYTES.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.truncate(end.unwrap_or(0));
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let trailer = status.metadata().get_bin(TRAILER).and_then(|value| value.to_bytes().ok());
        if let Some(wire) = trailer.and_then(|bytes| v1::Error::decode(bytes).ok()) {
            return wire.into();
        }
        let class = match status.code() {
            Code::InvalidArgument | Code::OutOfRange | Code::Unimplemented => Class::Invalid,
            Code::NotFound => Class::NotFound,
            Code::Aborted | Code::AlreadyExists | Code::FailedPrecondition => Class::Conflict,
            Code::ResourceExhausted => Class::Overloaded,
            Code::DeadlineExceeded => Class::Deadline,
            Code::Unauthenticated => Class::Unauthenticated,
            Code::PermissionDenied => Class::Denied,
            Code::Ok | Code::Cancelled | Code::Unknown | Code::Unavailable => Class::Unavailable,
            Code::Internal | Code::DataLoss => Class::Internal,
        };
        match status.message() {
            "" => Error::new(class, format!("the call ended with {:?}", status.code())),
            message => Error::new(class, message.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_the_wire_whole() {
        let error = Error::not_found("there is no map `a`").hint("did you mean `b`?");
        assert_eq!(Error::from(v1::Error::from(error.clone())), error);
        let status = Status::from(error.clone());
        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(status.message(), "there is no map `a` (did you mean `b`?)");
        assert_eq!(Error::from(status), error);
    }

    #[test]
    fn every_class_survives_a_status() {
        for class in [
            Class::Invalid,
            Class::NotFound,
            Class::Conflict,
            Class::NotPrimary,
            Class::Overloaded,
            Class::Unavailable,
            Class::Deadline,
            Class::Unauthenticated,
            Class::Denied,
            Class::Internal,
        ] {
            assert_eq!(Error::from(Status::from(Error::new(class, "x"))).class, class);
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let status = Status::from(Error::invalid("ä".repeat(5000) + "x"));
        assert_eq!(status.message().len(), MAX_TEXT_BYTES);
        let odd = Error::from(Status::from(Error::invalid(format!("x{}", "ä".repeat(5000)))));
        assert_eq!(odd.message.len(), MAX_TEXT_BYTES - 1);
    }

    #[test]
    fn a_frame_past_the_limit_is_a_request_that_can_never_succeed() {
        assert_eq!(Error::from(Status::out_of_range("too large")).class, Class::Invalid);
    }
}
