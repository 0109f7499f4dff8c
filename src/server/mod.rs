//! gRPC and HTTP for clients.
