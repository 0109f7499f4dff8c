//! The `embergrid` binary.

fn main() {}
