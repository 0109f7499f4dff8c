//! Schema and packed row.
