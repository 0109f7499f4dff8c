//! PURE: one replica of one partition.
