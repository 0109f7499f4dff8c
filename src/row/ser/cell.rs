//! A field's value.

use serde::ser::{self, Impossible, Serialize, SerializeSeq, SerializeTuple, SerializeTupleStruct};

use super::{Done, Refusal, leaf::Leaf};
use crate::{
    row::{Builder, Column, Kind, Scalar, VectorRef},
    types::Error,
};

/// Sets one column.
pub(super) struct Cell<'b, 's> {
    pub(super) builder: &'b mut Builder<'s>,
    pub(super) column: usize,
}

impl<'s> Cell<'_, 's> {
    fn set(self, value: Scalar<'_>) -> Done {
        self.builder.set(self.column, value).map_err(Refusal)
    }

    fn column(&self) -> Option<&'s Column> {
        self.builder.schema().columns().get(self.column)
    }
}

fn no_scalar(cell: &Cell<'_, '_>) -> Refusal {
    Refusal(Error::invalid(match cell.column() {
        Some(column) => format!("the column `{}` is {}, not a nested value", column.name, column.kind),
        None => "the value belongs to no column".to_owned(),
    }))
}

impl<'b, 's> ser::Serializer for Cell<'b, 's> {
    type Ok = ();
    type Error = Refusal;
    type SerializeSeq = Elements<'b, 's>;
    type SerializeTuple = Elements<'b, 's>;
    type SerializeTupleStruct = Elements<'b, 's>;
    type SerializeTupleVariant = Impossible<(), Refusal>;
    type SerializeMap = Impossible<(), Refusal>;
    type SerializeStruct = Impossible<(), Refusal>;
    type SerializeStructVariant = Impossible<(), Refusal>;

    fn serialize_bool(self, value: bool) -> Done {
        self.set(Scalar::Bool(value))
    }

    fn serialize_i8(self, value: i8) -> Done {
        self.set(Scalar::I32(value.into()))
    }

    fn serialize_i16(self, value: i16) -> Done {
        self.set(Scalar::I32(value.into()))
    }

    fn serialize_i32(self, value: i32) -> Done {
        self.set(Scalar::I32(value))
    }

    fn serialize_i64(self, value: i64) -> Done {
        self.set(Scalar::I64(value))
    }

    fn serialize_u8(self, value: u8) -> Done {
        self.set(Scalar::I32(value.into()))
    }

    fn serialize_u16(self, value: u16) -> Done {
        self.set(Scalar::I32(value.into()))
    }

    fn serialize_u32(self, value: u32) -> Done {
        self.set(Scalar::I64(value.into()))
    }

    fn serialize_u64(self, value: u64) -> Done {
        match (i64::try_from(value), self.column()) {
            (Ok(value), _) => self.set(Scalar::I64(value)),
            (Err(_), Some(Column { kind: Kind::F32 | Kind::F64, .. })) => self.set(Scalar::F64(value as f64)),
            (Err(_), column) => Err(Refusal(Error::invalid(format!(
                "the column `{}` takes no integer above {}, not {value}",
                column.map_or("", |column| &column.name),
                i64::MAX
            )))),
        }
    }

    fn serialize_f32(self, value: f32) -> Done {
        self.set(Scalar::F32(value))
    }

    fn serialize_f64(self, value: f64) -> Done {
        self.set(Scalar::F64(value))
    }

    fn serialize_char(self, value: char) -> Done {
        self.set(Scalar::Str(value.encode_utf8(&mut [0; 4])))
    }

    fn serialize_str(self, value: &str) -> Done {
        self.set(Scalar::Str(value))
    }

    fn serialize_bytes(self, value: &[u8]) -> Done {
        self.set(Scalar::Bytes(value))
    }

    fn serialize_none(self) -> Done {
        self.set(Scalar::Null)
    }

    fn serialize_unit(self) -> Done {
        self.set(Scalar::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Done {
        self.set(Scalar::Str(name))
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
        Err(no_scalar(&self))
    }

    fn serialize_seq(self, _: Option<usize>) -> Done<Elements<'b, 's>> {
        Ok(Elements { cell: self, bytes: Vec::new() })
    }

    fn serialize_tuple(self, len: usize) -> Done<Elements<'b, 's>> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Done<Elements<'b, 's>> {
        self.serialize_seq(Some(len))
    }

    refuse! { no_scalar;
        serialize_unit_struct(&'static str) -> ();
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}

/// A sequence: the elements of a vector, or bytes.
pub(super) struct Elements<'b, 's> {
    cell: Cell<'b, 's>,
    bytes: Vec<u8>,
}

impl Elements<'_, '_> {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        let Leaf::Number(number) = Leaf::of(value)? else { return Err(no_scalar(&self.cell)) };
        match (self.cell.column().map(|column| column.kind), number.as_f32(), number) {
            (Some(Kind::Vector(_)), Some(element), _) => self.bytes.extend_from_slice(&element.to_le_bytes()),
            (Some(Kind::Bytes), _, Scalar::I32(byte @ 0..=255)) => self.bytes.push(byte as u8),
            _ => return Err(no_scalar(&self.cell)),
        }
        Ok(())
    }

    fn finish(self) -> Done {
        match self.cell.column().map(|column| column.kind) {
            Some(Kind::Bytes) => self.cell.set(Scalar::Bytes(&self.bytes)),
            _ => self.cell.set(Scalar::Vector(VectorRef::from_le_bytes(&self.bytes))),
        }
    }
}

impl SerializeSeq for Elements<'_, '_> {
    type Ok = ();
    type Error = Refusal;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.push(value)
    }

    fn end(self) -> Done {
        self.finish()
    }
}

impl SerializeTuple for Elements<'_, '_> {
    type Ok = ();
    type Error = Refusal;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.push(value)
    }

    fn end(self) -> Done {
        self.finish()
    }
}

impl SerializeTupleStruct for Elements<'_, '_> {
    type Ok = ();
    type Error = Refusal;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.push(value)
    }

    fn end(self) -> Done {
        self.finish()
    }
}
