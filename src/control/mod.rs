//! Consensus around catalog, its durable log.
