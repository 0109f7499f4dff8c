//! PURE: a binding compiled for one catalogue version.
