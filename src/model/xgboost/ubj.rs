//! Files in UBJSON: a marker, then what it says, numbers in big-endian order. Of the specification's draft 12 this reads
//! what XGBoost writes: no counted objects, no high-precision numbers, no padding.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};

use super::{
    super::{Error, Limits},
    document::Document,
    json::DEPTH,
    unreadable,
};

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Document, Error> {
    let mut reader = Reader { bytes, at: 0, depth: 0, values: 0, strings: 0, limits };
    let document = Document::deserialize(Value { reader: &mut reader, marker: None });
    let at = reader.at;
    match document {
        Ok(document) if at == bytes.len() => Ok(document),
        Ok(_) => Err(unreadable(format!("{} bytes follow its end at byte {at}", bytes.len() - at))),
        Err(Fault(reason)) => Err(unreadable(format!("{reason} at byte {at}"))),
    }
}

/// What is wrong at the place that was reached.
#[derive(Debug, PartialEq)]
struct Fault(String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Fault(message.to_string())
    }
}

/// The bytes, how far they are read, and what was found in them so far.
struct Reader<'de> {
    bytes: &'de [u8],
    at: usize,
    depth: usize,
    values: usize,
    strings: usize,
    limits: &'de Limits,
}

impl<'de> Reader<'de> {
    fn rest(&self) -> &'de [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// Goes on behind a marker, if it is the next one.
    fn skip(&mut self, marker: u8) -> bool {
        let found = self.peek() == Some(marker);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, marker: u8) -> Result<(), Fault> {
        match self.peek() {
            _ if self.skip(marker) => Ok(()),
            Some(other) => {
                let [expected, other] = [marker, other].map(|byte| byte.escape_ascii());
                Err(Fault(format!("`{other}` where `{expected}` is expected")))
            }
            None => Err(ended()),
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (taken, _) = self.rest().split_first_chunk::<N>().ok_or_else(ended)?;
        self.at += N;
        Ok(*taken)
    }

    /// A length, of whichever type of integer.
    fn length(&mut self) -> Result<usize, Fault> {
        let start = self.at;
        let [marker] = self.take()?;
        let length = match marker {
            b'i' => i8::from_be_bytes(self.take()?).into(),
            b'U' => u8::from_be_bytes(self.take()?).into(),
            b'I' => i16::from_be_bytes(self.take()?).into(),
            b'l' => i32::from_be_bytes(self.take()?).into(),
            b'L' => i64::from_be_bytes(self.take()?),
            other => {
                self.at = start;
                return Err(Fault(format!("`{}` where a length is expected", other.escape_ascii())));
            }
        };
        usize::try_from(length).map_err(|_| Fault(format!("the length {length} is no length")))
    }

    fn string(&mut self) -> Result<&'de str, Fault> {
        let length = self.length()?;
        self.strings += 1;
        within("the number of strings", self.strings, self.limits.texts)?;
        within("the length of a string in bytes", length, self.limits.text)?;
        let Some((text, _)) = self.rest().split_at_checked(length) else {
            return Err(Fault(format!("a string of {length} bytes is said to follow and does not")));
        };
        let text = str::from_utf8(text).map_err(|_| Fault("a string is not UTF-8".to_owned()))?;
        self.at += length;
        Ok(text)
    }

    /// The beginning of an array: the marker of its elements if all have one, and their number if it is said. It is held
    /// against what is left of the file, so that nobody makes room for what is not there.
    fn array(&mut self) -> Result<(Option<u8>, Option<usize>), Fault> {
        let mut marker = None;
        let mut size = 1;
        if self.skip(b'$') {
            let [kind] = self.take()?;
            size = match kind {
                b'i' | b'U' => 1,
                b'I' => 2,
                b'd' | b'l' => 4,
                b'D' | b'L' => 8,
                other => {
                    return Err(Fault(format!(
                        "an array of elements `{}` is not known",
                        other.escape_ascii()
                    )));
                }
            };
            marker = Some(kind);
            self.expect(b'#')?;
        } else if !self.skip(b'#') {
            return Ok((None, None));
        }
        let count = self.length()?;
        if count.checked_mul(size).is_none_or(|bytes| bytes > self.rest().len()) {
            let left = self.rest().len();
            return Err(Fault(format!(
                "an array of {count} elements, of {size} bytes each or more, is said to follow, and {left} bytes do"
            )));
        }
        within("the number of values", self.values.saturating_add(count), self.limits.parameters)?;
        Ok((marker, Some(count)))
    }

    fn count(&mut self) -> Result<(), Fault> {
        self.values += 1;
        within("the number of values", self.values, self.limits.parameters)
    }

    /// Reads what is one level deeper.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Fault(format!("it is nested deeper than {DEPTH} levels")));
        }
        let result = read(self);
        self.depth -= 1;
        result
    }
}

fn ended() -> Fault {
    Fault("the file ends too early: it is truncated".to_owned())
}

fn within(what: &str, given: usize, limit: usize) -> Result<(), Fault> {
    Error::limit(what, given, limit).map_err(|error| Fault(error.to_string()))
}

/// One value; its marker may have been read for all elements of an array.
struct Value<'r, 'de> {
    reader: &'r mut Reader<'de>,
    marker: Option<u8>,
}

impl<'de> Deserializer<'de> for Value<'_, 'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Value { reader, marker } = self;
        let start = reader.at;
        let marker = match marker {
            Some(marker) => marker,
            None => reader.take::<1>()?[0],
        };
        match marker {
            b'Z' => visitor.visit_unit(),
            b'T' => visitor.visit_bool(true),
            b'F' => visitor.visit_bool(false),
            b'i' => visitor.visit_i8(i8::from_be_bytes(reader.take()?)),
            b'U' => visitor.visit_u8(u8::from_be_bytes(reader.take()?)),
            b'I' => visitor.visit_i16(i16::from_be_bytes(reader.take()?)),
            b'l' => visitor.visit_i32(i32::from_be_bytes(reader.take()?)),
            b'L' => visitor.visit_i64(i64::from_be_bytes(reader.take()?)),
            b'd' => visitor.visit_f32(f32::from_be_bytes(reader.take()?)),
            b'D' => visitor.visit_f64(f64::from_be_bytes(reader.take()?)),
            b'S' => visitor.visit_borrowed_str(reader.string()?),
            b'[' => {
                let (marker, left) = reader.array()?;
                reader.deeper(|reader| {
                    let mut elements = Elements { reader, marker, left };
                    let value = visitor.visit_seq(&mut elements)?;
                    elements.end()?;
                    Ok(value)
                })
            }
            b'{' => reader.deeper(|reader| visitor.visit_map(Entries { reader })),
            other => {
                reader.at = start;
                Err(Fault(format!("`{}` is no marker that XGBoost writes", other.escape_ascii())))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.marker.is_none() && self.reader.skip(b'Z') {
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

/// The elements of an array.
struct Elements<'r, 'de> {
    reader: &'r mut Reader<'de>,
    marker: Option<u8>,
    /// How many are left, where that is said.
    left: Option<usize>,
}

impl Elements<'_, '_> {
    /// Whether there is one more.
    fn more(&mut self) -> bool {
        match &mut self.left {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None if self.reader.skip(b']') => {
                self.left = Some(0);
                false
            }
            None => true,
        }
    }

    fn end(&mut self) -> Result<(), Fault> {
        if self.more() {
            Err(Fault("an array has more elements than belong there".to_owned()))
        } else {
            Ok(())
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Elements<'_, 'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        if !self.more() {
            return Ok(None);
        }
        self.reader.count()?;
        seed.deserialize(Value { reader: self.reader, marker: self.marker }).map(Some)
    }
}

/// The entries of an object.
struct Entries<'r, 'de> {
    reader: &'r mut Reader<'de>,
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        if self.reader.skip(b'}') {
            return Ok(None);
        }
        let key = self.reader.string()?;
        seed.deserialize(de::value::BorrowedStrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(Value { reader: self.reader, marker: None })
    }
}
