//! What an expression may name, and what it is evaluated on.

use crate::{
    row::{RowRef, Schema},
    types::{KeyKind, KeyRef},
};

/// What an expression may name.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'s> {
    /// `None` for a plain map.
    pub(super) schema: Option<&'s Schema>,
    /// `None` where the map takes any key.
    pub(super) key: Option<KeyKind>,
}

impl<'s> Scope<'s> {
    /// The columns of a feature map and `__key`.
    pub fn feature(schema: &'s Schema, key: Option<KeyKind>) -> Self {
        Scope { schema: Some(schema), key }
    }

    /// `this`, the bytes of a plain map's value, and `__key`.
    pub fn plain(key: Option<KeyKind>) -> Self {
        Scope { schema: None, key }
    }
}

/// What an expression is evaluated on.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    pub(super) value: Stored<'a>,
    pub(super) key: KeyRef<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Stored<'a> {
    Row(RowRef<'a>),
    Plain(&'a [u8]),
}

impl<'a> Source<'a> {
    /// A row of a feature map, read with the schema that the expression was parsed for.
    pub fn row(row: RowRef<'a>, key: KeyRef<'a>) -> Self {
        Source { value: Stored::Row(row), key }
    }

    /// A value of a plain map.
    pub fn plain(value: &'a [u8], key: KeyRef<'a>) -> Self {
        Source { value: Stored::Plain(value), key }
    }
}
