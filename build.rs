//! Compiles the protocol files, where a feature needs them.

fn main() {}
