//! PURE: key to partition to replicas.
