//! The innermost values: a map's key, a vector's element.

use serde::ser::{self, Impossible, Serialize};

use super::{Done, Refusal};
use crate::{row::Scalar, types::Error};

/// What has no parts.
pub(super) enum Leaf {
    Text(String),
    Number(Scalar<'static>),
}

impl Leaf {
    /// The leaf that `value` is.
    pub(super) fn of<T: Serialize + ?Sized>(value: &T) -> Done<Leaf> {
        value.serialize(Plain)
    }
}

struct Plain;

fn no_leaf(_: &Plain) -> Refusal {
    Refusal(Error::invalid("expected text or a number, not a nested value"))
}

fn number(value: Scalar<'static>) -> Done<Leaf> {
    Ok(Leaf::Number(value))
}

impl ser::Serializer for Plain {
    type Ok = Leaf;
    type Error = Refusal;
    type SerializeSeq = Impossible<Leaf, Refusal>;
    type SerializeTuple = Impossible<Leaf, Refusal>;
    type SerializeTupleStruct = Impossible<Leaf, Refusal>;
    type SerializeTupleVariant = Impossible<Leaf, Refusal>;
    type SerializeMap = Impossible<Leaf, Refusal>;
    type SerializeStruct = Impossible<Leaf, Refusal>;
    type SerializeStructVariant = Impossible<Leaf, Refusal>;

    fn serialize_bool(self, value: bool) -> Done<Leaf> {
        number(Scalar::Bool(value))
    }

    fn serialize_i8(self, value: i8) -> Done<Leaf> {
        number(Scalar::I32(value.into()))
    }

    fn serialize_i16(self, value: i16) -> Done<Leaf> {
        number(Scalar::I32(value.into()))
    }

    fn serialize_i32(self, value: i32) -> Done<Leaf> {
        number(Scalar::I32(value))
    }

    fn serialize_i64(self, value: i64) -> Done<Leaf> {
        number(Scalar::I64(value))
    }

    fn serialize_u8(self, value: u8) -> Done<Leaf> {
        number(Scalar::I32(value.into()))
    }

    fn serialize_u16(self, value: u16) -> Done<Leaf> {
        number(Scalar::I32(value.into()))
    }

    fn serialize_u32(self, value: u32) -> Done<Leaf> {
        number(Scalar::I64(value.into()))
    }

    fn serialize_u64(self, value: u64) -> Done<Leaf> {
        number(Scalar::F64(value as f64))
    }

    fn serialize_f32(self, value: f32) -> Done<Leaf> {
        number(Scalar::F32(value))
    }

    fn serialize_f64(self, value: f64) -> Done<Leaf> {
        number(Scalar::F64(value))
    }

    fn serialize_char(self, value: char) -> Done<Leaf> {
        Ok(Leaf::Text(value.to_string()))
    }

    fn serialize_str(self, value: &str) -> Done<Leaf> {
        Ok(Leaf::Text(value.to_owned()))
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Done<Leaf> {
        self.serialize_str(name)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done<Leaf> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done<Leaf> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Done<Leaf> {
        Err(no_leaf(&self))
    }

    refuse! { no_leaf;
        serialize_bytes(&[u8]) -> Leaf;
        serialize_none() -> Leaf;
        serialize_unit() -> Leaf;
        serialize_unit_struct(&'static str) -> Leaf;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}
