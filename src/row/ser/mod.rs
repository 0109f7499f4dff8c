//! Rows from structs.

/// Refuses the listed methods of a serializer with one message.
macro_rules! refuse {
    ($what:expr; $($method:ident($($arg:ty),*) -> $ok:ty;)*) => {
        $(fn $method(self $(, _: $arg)*) -> Done<$ok> {
            Err($what(&self))
        })*
    };
}

mod cell;
mod leaf;

use std::fmt;

use serde::ser::{self, Impossible, Serialize, SerializeMap, SerializeStruct};

use self::{cell::Cell, leaf::Leaf};
use super::{Builder, Schema};
use crate::types::Error;

/// Packs a struct or a map with string keys: a field for each column, matched by name. A field that is no column is
/// refused with the nearest name; a column without a field is null.
pub fn to_row<T: Serialize + ?Sized>(schema: &Schema, value: &T) -> Result<Vec<u8>, Error> {
    let mut builder = Builder::new(schema);
    value.serialize(Fields { builder: &mut builder, key: None, next: 0 }).map_err(|refusal| refusal.0)?;
    builder.finish()
}

/// [`Error`] as serde wants it.
#[derive(Debug)]
struct Refusal(Error);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refusal {}

impl ser::Error for Refusal {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Refusal(Error::invalid(message.to_string()))
    }
}

type Done<T = ()> = Result<T, Refusal>;

/// The outermost value: its fields become columns.
struct Fields<'b, 's> {
    builder: &'b mut Builder<'s>,
    /// The column of the map key just read.
    key: Option<usize>,
    /// Where the next field is looked for first: structs tend to have their fields in the order of the columns.
    next: usize,
}

impl Fields<'_, '_> {
    fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Done {
        let schema = self.builder.schema();
        let column = match schema.columns().get(self.next) {
            Some(column) if column.name == name => self.next,
            _ => schema.require(name).map_err(Refusal)?,
        };
        self.next = column + 1;
        value.serialize(Cell { builder: self.builder, column })
    }
}

fn no_fields<T>(_: &T) -> Refusal {
    Refusal(Error::invalid("a row is a struct or a map with a field for each column"))
}

impl ser::Serializer for Fields<'_, '_> {
    type Ok = ();
    type Error = Refusal;
    type SerializeSeq = Impossible<(), Refusal>;
    type SerializeTuple = Impossible<(), Refusal>;
    type SerializeTupleStruct = Impossible<(), Refusal>;
    type SerializeTupleVariant = Impossible<(), Refusal>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Refusal>;

    fn serialize_map(self, _: Option<usize>) -> Done<Self> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Done<Self> {
        Ok(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Done {
        Err(no_fields(&self))
    }

    refuse! { no_fields;
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}

impl SerializeStruct for Fields<'_, '_> {
    type Ok = ();
    type Error = Refusal;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Done {
        self.set(name, value)
    }

    fn end(self) -> Done {
        Ok(())
    }
}

impl SerializeMap for Fields<'_, '_> {
    type Ok = ();
    type Error = Refusal;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        let Leaf::Text(name) = Leaf::of(key)? else {
            return Err(Refusal(Error::invalid("the keys of a row are the names of its columns")));
        };
        self.key = Some(self.builder.schema().require(&name).map_err(Refusal)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        let Some(column) = self.key.take() else { return Err(no_fields(self)) };
        value.serialize(Cell { builder: self.builder, column })
    }

    fn end(self) -> Done {
        Ok(())
    }
}
