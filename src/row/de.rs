//! Structs from rows.

use std::fmt;

use serde::{
    de::{
        self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, Visitor,
        value::{SeqDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};

use super::{RowRef, Scalar};
use crate::types::Error;

/// Reads a row into a struct or a map: fields by name, null as `None`, timestamps as [`Timestamp`](crate::types::Timestamp)
/// or, for text, RFC 3339. Columns without a field are passed over.
pub fn from_row<T: DeserializeOwned>(row: RowRef<'_>) -> Result<T, Error> {
    T::deserialize(Columns { row, next: 0 }).map_err(|refusal| refusal.0)
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

impl de::Error for Refusal {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Refusal(Error::invalid(message.to_string()))
    }
}

/// The row as a map from name to value.
struct Columns<'a> {
    row: RowRef<'a>,
    /// The column whose name comes next; its value comes after.
    next: usize,
}

impl<'de> Deserializer<'de> for Columns<'de> {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_map(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Columns<'de> {
    type Error = Refusal;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refusal> {
        match self.row.schema().columns().get(self.next) {
            Some(column) => seed.deserialize(StrDeserializer::new(&column.name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refusal> {
        let at = self.next;
        self.next += 1;
        seed.deserialize(Cell(self.row.value(at))).map_err(|Refusal(error)| {
            let name = self.row.schema().columns().get(at).map_or("", |column| column.name.as_str());
            Refusal(error.within(format_args!("the column `{name}`")))
        })
    }
}

/// One value.
struct Cell<'a>(Scalar<'a>);

impl<'de> Deserializer<'de> for Cell<'de> {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Scalar::Null => visitor.visit_unit(),
            Scalar::Bool(value) => visitor.visit_bool(value),
            Scalar::I32(value) => visitor.visit_i32(value),
            Scalar::I64(value) => visitor.visit_i64(value),
            Scalar::F32(value) => visitor.visit_f32(value),
            Scalar::F64(value) => visitor.visit_f64(value),
            Scalar::Str(text) => visitor.visit_borrowed_str(text),
            Scalar::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Scalar::Timestamp(at) => visitor.visit_i64(at.0),
            Scalar::Vector(vector) => visitor.visit_seq(SeqDeserializer::new(vector.iter())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Scalar::Timestamp(at) => visitor.visit_string(at.to_string()),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Scalar::Bytes(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied())),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        match self.0 {
            Scalar::Str(text) => StrDeserializer::new(text).deserialize_enum(name, variants, visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char bytes byte_buf unit unit_struct
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::{
        row::{Scalar, samples, to_row, with_scores},
        types::Timestamp,
    };

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Name {
        Ann,
        Bob,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        flag: bool,
        small: i16,
        big: Option<u32>,
        single: Option<f32>,
        double: f64,
        name: Name,
        blob: Option<Vec<u8>>,
        note: Option<String>,
        at: Timestamp,
        embedding: [f32; 3],
    }

    fn sample() -> Sample {
        Sample {
            flag: true,
            small: -7,
            big: Some(u32::MAX),
            single: Some(0.1),
            double: 2.5,
            name: Name::Bob,
            blob: Some(vec![0, 255]),
            note: None,
            at: Timestamp(1_700_000_000_123),
            embedding: [1.0, -0.0, f32::INFINITY],
        }
    }

    #[test]
    fn structs_come_back() {
        let schema = samples::schema();
        let bytes = to_row(&schema, &sample()).unwrap();
        assert_eq!(from_row::<Sample>(RowRef::new(&schema, &bytes).unwrap()).unwrap(), sample());
    }

    #[test]
    fn scores_are_read_beside_the_columns() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Scored {
            #[serde(flatten)]
            sample: Sample,
            score: Option<f32>,
        }
        let schema = samples::schema();
        // Serde's `flatten` buffers values; what was bytes must be read as bytes then, not as a sequence.
        let sample = || Sample { blob: None, ..sample() };
        let bytes = to_row(&schema, &sample()).unwrap();
        let read = |bytes: &[u8]| from_row::<Scored>(RowRef::new(&schema, bytes).unwrap()).unwrap();
        assert_eq!(read(&bytes), Scored { sample: sample(), score: None });
        let scored = with_scores(&schema, &bytes, &[(10, Scalar::F32(0.75))]).unwrap();
        assert_eq!(read(&scored), Scored { sample: sample(), score: Some(0.75) });
    }

    #[test]
    fn maps_and_text_timestamps() {
        let schema = samples::schema();
        let row = BTreeMap::from([("name", "x"), ("at", "2024-02-29T12:00:00Z")]);
        let error = to_row(&schema, &row).unwrap_err();
        assert_eq!(error.message, "the column `flag` is missing");
        let bytes = samples::row(&schema);
        #[derive(Deserialize)]
        struct At {
            at: String,
        }
        let read: At = from_row(RowRef::new(&schema, &bytes).unwrap()).unwrap();
        assert_eq!(read.at, "2023-11-14T22:13:20.123Z");
    }

    #[test]
    fn refusals_name_the_column() {
        let schema = samples::schema();
        let refusal = |value: serde_json::Value| to_row(&schema, &value).unwrap_err().to_string();
        assert_eq!(
            refusal(serde_json::json!({"nmae": "x"})),
            "there is no column `nmae` (did you mean `name`?)"
        );
        assert_eq!(
            refusal(serde_json::json!({"name": {"first": "x"}})),
            "the column `name` is str, not a nested value"
        );
        assert_eq!(
            refusal(serde_json::json!({"big": u64::MAX})),
            "the column `big` takes no integer above 9223372036854775807, not 18446744073709551615"
        );
        assert_eq!(
            refusal(serde_json::json!([1])),
            "a row is a struct or a map with a field for each column"
        );
        assert_eq!(
            refusal(serde_json::json!({"score": 0.5})),
            "the column `score` is a score, which clients cannot write (leave it out; the binding fills it)"
        );
        let bytes = samples::row(&schema);
        let error = from_row::<Sample>(RowRef::new(&schema, &bytes).unwrap()).unwrap_err();
        assert_eq!(
            error.message,
            "the column `embedding`: invalid type: unit value, expected an array of length 3"
        );
    }
}
