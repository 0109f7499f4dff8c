//! A partition's rows: one writer, many readers.
