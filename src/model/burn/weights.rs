//! The safetensors container: the length of a header, the header in JSON (names, types, shapes and places of tensors),
//! then the bytes of all tensors.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
};

use burn_backend::{bf16, f16};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};

use super::{
    super::{Error, Limits},
    unreadable,
};
use crate::types::nearest;

/// Bytes of the header, which is parsed as a whole: room for some ten thousand tensors.
const HEADER: usize = 4 << 20;
/// The header's key that is no tensor.
const METADATA: &str = "__metadata__";

/// The tensors of a file, in place, and what its metadata says.
pub(super) struct Weights<'a> {
    header: Header,
    /// What follows the header.
    data: &'a [u8],
}

#[derive(Default)]
struct Header {
    metadata: BTreeMap<String, String>,
    tensors: BTreeMap<String, Info>,
}

/// One tensor, as the header has it.
#[derive(Deserialize)]
struct Info {
    dtype: String,
    shape: Vec<usize>,
    /// Where its bytes begin and end, counted from the header's end.
    data_offsets: (usize, usize),
}

/// The types that weights may have.
#[derive(Clone, Copy)]
enum Float {
    F16,
    Bf16,
    F32,
    F64,
}

impl<'a> Weights<'a> {
    /// Reads the header. Nothing is taken from it on trust: places lie within the file, one behind the other, with
    /// nothing between and behind them, and each is as long as its tensor's type and shape ask for.
    pub(super) fn read(bytes: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        if bytes.is_empty() {
            return Err(unreadable("the file is empty"));
        }
        Error::limit("the number of bytes of the file", bytes.len(), limits.bytes)?;
        let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
            return Err(unreadable("the file is too short: it is truncated or no safetensors file"));
        };
        let length = usize::try_from(u64::from_le_bytes(*length)).ok();
        let Some((header, data)) = length.and_then(|length| rest.split_at_checked(length)) else {
            return Err(unreadable(
                "its header is longer than the file: it is truncated or no safetensors file",
            ));
        };
        Error::limit("the number of bytes of the header", header.len(), HEADER)?;
        let header: Header = serde_json::from_slice(header)
            .map_err(|error| unreadable(format!("its header is not that of a safetensors file: {error}")))?;
        check_sizes(&header.tensors, limits)?;
        check_places(&header.tensors, data.len())?;
        Ok(Weights { header, data })
    }

    /// What the metadata says under a key.
    pub(super) fn metadata(&self, key: &str) -> Option<&str> {
        self.header.metadata.get(key).map(String::as_str)
    }

    /// The names of all tensors.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.header.tensors.keys().map(String::as_str)
    }

    /// The shape of the tensor of that name.
    pub(super) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.header.tensors.get(name).map(|info| info.shape.as_slice())
    }

    /// The elements of the tensor of that name, as 32-bit floats.
    pub(super) fn elements(&self, name: &str) -> Result<Vec<f32>, Error> {
        let place = || format!("tensor `{name}`");
        let Some(info) = self.header.tensors.get(name) else { return Err(self.missing(name, &place())) };
        let (start, end) = info.data_offsets;
        // Within the data, or the header would have been refused.
        let bytes = self.data.get(start..end).unwrap_or_default();
        match info.float(place)? {
            Float::F16 => Ok(numbers(bytes, |bytes| f16::from_le_bytes(bytes).to_f32())),
            Float::Bf16 => Ok(numbers(bytes, |bytes| bf16::from_le_bytes(bytes).to_f32())),
            Float::F32 => Ok(numbers(bytes, f32::from_le_bytes)),
            Float::F64 => {
                let wide = numbers(bytes, f64::from_le_bytes);
                wide.into_iter().map(|number| narrow(number, place)).collect()
            }
        }
    }

    /// Says that a layer's tensor is not there, and what may have been meant.
    pub(super) fn missing(&self, name: &str, place: &str) -> Error {
        let reason = match nearest(name, self.names()) {
            Some(near) => format!("the file has no tensor `{name}`: did you mean `{near}`?"),
            None => format!("the file has no tensor `{name}`"),
        };
        Error::invalid(place, reason)
    }
}

impl Info {
    fn float(&self, place: impl Fn() -> String) -> Result<Float, Error> {
        Ok(match self.dtype.as_str() {
            "F16" => Float::F16,
            "BF16" => Float::Bf16,
            "F32" => Float::F32,
            "F64" => Float::F64,
            dtype => {
                let reason = format!("elements of type {dtype} are no weights: F32, F64, F16 and BF16 are");
                return Err(Error::invalid(place(), reason));
            }
        })
    }

    /// Saturates: a file has fewer.
    fn elements(&self) -> usize {
        self.shape.iter().fold(1, |product: usize, size| product.saturating_mul(*size))
    }
}

impl Float {
    fn bytes(self) -> usize {
        match self {
            Float::F16 | Float::Bf16 => 2,
            Float::F32 => 4,
            Float::F64 => 8,
        }
    }
}

fn check_sizes(tensors: &BTreeMap<String, Info>, limits: &Limits) -> Result<(), Error> {
    Error::limit("the number of tensors", tensors.len(), limits.nodes)?;
    let mut parameters = 0_usize;
    for (name, info) in tensors {
        let place = format!("tensor `{name}`");
        Error::limit(format!("{place}: the number of dimensions"), info.shape.len(), limits.rank)?;
        Error::limit(format!("{place}: the number of elements"), info.elements(), limits.elements)?;
        parameters = parameters.saturating_add(info.elements());
    }
    Error::limit("the number of elements of all weights", parameters, limits.parameters)
}

fn check_places(tensors: &BTreeMap<String, Info>, length: usize) -> Result<(), Error> {
    let mut order: Vec<(&String, &Info)> = tensors.iter().collect();
    order.sort_by_key(|(_, info)| info.data_offsets);
    let mut taken = 0;
    for (name, info) in order {
        let place = || format!("tensor `{name}`");
        let (start, end) = info.data_offsets;
        let size = info.elements().saturating_mul(info.float(place)?.bytes());
        let reason = if start != taken {
            format!("it begins at byte {start}, and what lies before it ends at {taken}")
        } else if end.checked_sub(start) != Some(size) {
            format!(
                "it lies at bytes {start} to {end}, and {} of shape {:?} takes {size}",
                info.dtype, info.shape
            )
        } else if end > length {
            format!("it ends at byte {end} of {length}: the file is truncated")
        } else {
            taken = end;
            continue;
        };
        return Err(Error::invalid(place(), reason));
    }
    if taken < length {
        return Err(unreadable(format!("{} bytes follow the last tensor", length - taken)));
    }
    Ok(())
}

fn numbers<const N: usize, T>(bytes: &[u8], read: fn([u8; N]) -> T) -> Vec<T> {
    // Nothing is left over: the length was checked against type and shape.
    bytes.as_chunks::<N>().0.iter().map(|chunk| read(*chunk)).collect()
}

/// The nearest 32-bit float.
fn narrow(number: f64, place: impl Fn() -> String) -> Result<f32, Error> {
    let narrow = number as f32;
    if narrow.is_infinite() && number.is_finite() {
        return Err(Error::invalid(place(), format!("{number:e} is no 32-bit float")));
    }
    Ok(narrow)
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

/// Reads the header's entries. A derived reader would keep the last of two tensors of one name.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut entries: M) -> Result<Header, M::Error> {
        let mut header = Header::default();
        while let Some(name) = entries.next_key::<String>()? {
            if name == METADATA {
                header.metadata = entries.next_value()?;
                continue;
            }
            match header.tensors.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(entries.next_value()?);
                }
                Entry::Occupied(place) => {
                    let reason = format_args!("tensor `{}` is given twice", place.key());
                    return Err(M::Error::custom(reason));
                }
            }
        }
        Ok(header)
    }
}
