//! PURE: subscriptions over committed entries.
