//! Generated protobuf; the one codec.
