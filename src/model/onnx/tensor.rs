//! Tensors as ONNX stores them: in raw bytes or in a typed list.

use half::f16;

use super::{
    super::{DType, Data, Error, Limits, Tensor},
    proto::{TensorProto, element},
};

/// The engine's type for an ONNX element type; none if it has none.
pub(in crate::model) fn dtype(element: i32) -> Option<DType> {
    Some(match element {
        element::FLOAT => DType::F32,
        element::DOUBLE => DType::F64,
        element::INT64 => DType::I64,
        element::FLOAT16 => DType::F16,
        element::INT32 => DType::I32,
        element::INT16 => DType::I16,
        element::INT8 => DType::I8,
        element::UINT64 => DType::U64,
        element::UINT32 => DType::U32,
        element::UINT16 => DType::U16,
        element::UINT8 => DType::U8,
        element::BOOL => DType::Bool,
        element::STRING => DType::Str,
        _ => return None,
    })
}

/// ONNX's name of an element type.
pub(in crate::model) fn element_name(element: i32) -> String {
    const NAMES: [&str; 17] = [
        "undefined",
        "float",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "int32",
        "int64",
        "string",
        "bool",
        "float16",
        "double",
        "uint32",
        "uint64",
        "complex64",
        "complex128",
        "bfloat16",
    ];
    match usize::try_from(element).ok().and_then(|index| NAMES.get(index)) {
        Some(name) => (*name).to_owned(),
        None => format!("element type {element}"),
    }
}

/// The shape, if it and its number of elements are within the limits.
fn shape(proto: &TensorProto, place: &str, limits: &Limits) -> Result<(Vec<usize>, usize), Error> {
    Error::limit(format!("{place}: the number of dimensions"), proto.dims.len(), limits.rank)?;
    let mut most = 1_usize;
    let mut shape = Vec::with_capacity(proto.dims.len());
    for &dim in &proto.dims {
        let size = usize::try_from(dim)
            .map_err(|_| Error::invalid(place, format!("dimension {dim} is negative")))?;
        // A dimension of size zero is not to hide how large the others are.
        most = most.saturating_mul(size.max(1));
        shape.push(size);
    }
    Error::limit(format!("{place}: the number of elements"), most, limits.elements)?;
    let elements = shape.iter().product();
    Ok((shape, elements))
}

/// Reads a tensor. `place` names it in errors.
pub(in crate::model) fn tensor(proto: &TensorProto, place: &str, limits: &Limits) -> Result<Tensor, Error> {
    if proto.data_location != 0 || !proto.external_data.is_empty() {
        let location = proto.external_data.iter().find(|entry| entry.key == "location");
        let file = location.map_or("another file", |entry| entry.value.as_str());
        let reason = format!("its data is in `{file}`, and no file besides the model is ever opened");
        return Err(Error::invalid(place, reason));
    }
    let (shape, elements) = shape(proto, place, limits)?;
    let Some(dtype) = dtype(proto.data_type) else {
        let name = element_name(proto.data_type);
        return Err(Error::invalid(place, format!("tensors of {name} are not supported")));
    };
    let data = if proto.raw_data.is_empty() { listed(proto, dtype) } else { raw(&proto.raw_data, dtype) };
    match data {
        Some(data) if data.len() == elements => Ok(Tensor { shape, data }),
        Some(data) => {
            let reason =
                format!("its shape {shape:?} takes {elements} elements, its data has {}", data.len());
            Err(Error::invalid(place, reason))
        }
        None => Err(Error::invalid(place, format!("its data is not readable as {dtype}"))),
    }
}

/// Elements from their bytes, the lowest first; none if those are no whole number of elements.
pub(in crate::model) fn raw(bytes: &[u8], dtype: DType) -> Option<Data> {
    fn chunks<const N: usize, T>(bytes: &[u8], read: fn([u8; N]) -> T) -> Option<Vec<T>> {
        let (chunks, rest) = bytes.as_chunks::<N>();
        rest.is_empty().then(|| chunks.iter().map(|chunk| read(*chunk)).collect())
    }
    Some(match dtype {
        DType::F32 => Data::F32(chunks(bytes, f32::from_le_bytes)?),
        DType::F64 => Data::F64(chunks(bytes, f64::from_le_bytes)?),
        DType::I64 => Data::I64(chunks(bytes, i64::from_le_bytes)?),
        DType::I32 => Data::I32(chunks(bytes, i32::from_le_bytes)?),
        DType::F16 => Data::F16(chunks(bytes, f16::from_le_bytes)?),
        DType::I16 => Data::I16(chunks(bytes, i16::from_le_bytes)?),
        DType::I8 => Data::I8(chunks(bytes, i8::from_le_bytes)?),
        DType::U64 => Data::U64(chunks(bytes, u64::from_le_bytes)?),
        DType::U32 => Data::U32(chunks(bytes, u32::from_le_bytes)?),
        DType::U16 => Data::U16(chunks(bytes, u16::from_le_bytes)?),
        DType::U8 => Data::U8(bytes.to_vec()),
        DType::Bool => Data::Bool(bytes.iter().map(|byte| *byte != 0).collect()),
        DType::Str => return None,
    })
}

fn listed(proto: &TensorProto, dtype: DType) -> Option<Data> {
    /// Narrow types are written as 32-bit numbers, unsigned ones of 32 and 64 bits as 64-bit numbers.
    fn narrow<W: Copy, T: TryFrom<W>>(words: &[W]) -> Option<Vec<T>> {
        words.iter().map(|&word| T::try_from(word).ok()).collect()
    }
    let (words, longs) = (&proto.int32_data, &proto.uint64_data);
    Some(match dtype {
        DType::F32 => Data::F32(proto.float_data.clone()),
        DType::F64 => Data::F64(proto.double_data.clone()),
        DType::I64 => Data::I64(proto.int64_data.clone()),
        DType::I32 => Data::I32(words.clone()),
        DType::F16 => Data::F16(narrow::<_, u16>(words)?.into_iter().map(f16::from_bits).collect()),
        DType::I16 => Data::I16(narrow(words)?),
        DType::I8 => Data::I8(narrow(words)?),
        DType::U64 => Data::U64(longs.clone()),
        DType::U32 => Data::U32(narrow(longs)?),
        DType::U16 => Data::U16(narrow(words)?),
        DType::U8 => Data::U8(narrow(words)?),
        DType::Bool => Data::Bool(words.iter().map(|word| *word != 0).collect()),
        DType::Str => {
            let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).ok();
            Data::Str(proto.string_data.iter().map(text).collect::<Option<_>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proto(dims: &[i64], data_type: i32) -> TensorProto {
        TensorProto { dims: dims.to_vec(), data_type, ..TensorProto::default() }
    }

    #[test]
    fn raw_and_listed_data_give_the_same_tensor() {
        let limits = Limits::default();
        let mut raw = proto(&[2], element::FLOAT);
        raw.raw_data = [1.5_f32, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let mut listed = proto(&[2], element::FLOAT);
        listed.float_data = vec![1.5, -2.0];
        let expected = Tensor::f32([2], vec![1.5, -2.0]);
        assert_eq!(tensor(&raw, "w", &limits), Ok(expected.clone()));
        assert_eq!(tensor(&listed, "w", &limits), Ok(expected));
    }

    #[test]
    fn a_terabyte_is_refused_by_its_shape() {
        let error =
            tensor(&proto(&[1 << 40], element::FLOAT), "initializer `w`", &Limits::default()).unwrap_err();
        let text = "initializer `w`: the number of elements is 1099511627776, over the limit of 268435456";
        assert_eq!(error.to_string(), text);
        let error = tensor(&proto(&[i64::MAX; 5], element::FLOAT), "w", &Limits::default()).unwrap_err();
        assert!(matches!(error, Error::Limit { given: u64::MAX, .. }));
    }

    #[test]
    fn a_shape_must_fit_its_data() {
        let error = tensor(&proto(&[3], element::INT64), "w", &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), "invalid model: w: its shape [3] takes 3 elements, its data has 0");
        let error = tensor(&proto(&[-1], element::INT64), "w", &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), "invalid model: w: dimension -1 is negative");
    }

    #[test]
    fn external_data_is_never_opened() {
        let mut external = proto(&[1], element::FLOAT);
        external.data_location = 1;
        external.external_data = vec![super::super::proto::StringStringEntryProto {
            key: "location".into(),
            value: "/etc/passwd".into(),
        }];
        let error = tensor(&external, "initializer `w`", &Limits::default()).unwrap_err();
        let text = "invalid model: initializer `w`: its data is in `/etc/passwd`, and no file besides the model is ever opened";
        assert_eq!(error.to_string(), text);
    }
}
