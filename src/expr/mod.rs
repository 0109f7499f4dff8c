//! SQL scalar expressions over packed rows.
