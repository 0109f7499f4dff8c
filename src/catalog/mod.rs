//! PURE: the cluster's metadata as a state machine.
