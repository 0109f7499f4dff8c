//! One array in NumPy's file format, versions 1 to 3.

use std::io::{ErrorKind, Read};

use super::{Batch, Batches};
use crate::{
    model::{DType, Data, Model, Tensor},
    types::{Error, Result},
};

/// The longest header.
const MOST_HEADER_BYTES: usize = 64 << 10;

/// What the header says.
#[derive(Clone, Debug, PartialEq)]
struct Header {
    dtype: DType,
    shape: Vec<usize>,
}

/// The rows of an array (its first dimension), for a model with one input.
pub(super) fn read<R: Read + 'static>(mut source: R, model: &Model, rows: usize) -> Result<Batches> {
    let [port] = model.inputs() else {
        return Err(Error::invalid(format!(
            "an array is one input; the model takes {}",
            model.inputs().len()
        ))
        .hint("give the rows as .csv or .jsonl, with the names of the inputs"));
    };
    let header = header(&mut source)?;
    if header.dtype != port.dtype {
        return Err(Error::invalid(format!(
            "the array is {}, the input `{}` {}",
            header.dtype.name(),
            port.name,
            port.dtype.name()
        ))
        .hint(format!("save it with .astype(\"{}\")", port.dtype.name())));
    }
    let total = header.shape[0];
    let mut done = 0;
    Ok(Box::new(std::iter::from_fn(move || {
        let some = rows.min(total - done);
        (some > 0).then(|| {
            let batch = batch(&mut source, &header, some);
            done = if batch.is_ok() { done + some } else { total };
            batch
        })
    })))
}

fn batch(source: &mut impl Read, header: &Header, rows: usize) -> Result<Batch> {
    let width: usize = header.shape.iter().skip(1).product();
    let mut bytes = vec![0; rows * width * header.dtype.size()];
    source.read_exact(&mut bytes).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => Error::invalid("the array ends before its last row"),
        _ => Error::invalid(error.to_string()),
    })?;
    let mut shape = header.shape.clone();
    shape[0] = rows;
    Ok(Batch { rows, inputs: vec![Tensor { shape, data: decode(header.dtype, &bytes) }] })
}

fn decode(dtype: DType, bytes: &[u8]) -> Data {
    match dtype {
        DType::F32 => Data::F32(bytes.as_chunks().0.iter().copied().map(f32::from_le_bytes).collect()),
        DType::F64 => Data::F64(bytes.as_chunks().0.iter().copied().map(f64::from_le_bytes).collect()),
        DType::I64 => Data::I64(bytes.as_chunks().0.iter().copied().map(i64::from_le_bytes).collect()),
        DType::I32 => Data::I32(bytes.as_chunks().0.iter().copied().map(i32::from_le_bytes).collect()),
        DType::F16 => Data::F16(bytes.as_chunks().0.iter().copied().map(half::f16::from_le_bytes).collect()),
        DType::I16 => Data::I16(bytes.as_chunks().0.iter().copied().map(i16::from_le_bytes).collect()),
        DType::U64 => Data::U64(bytes.as_chunks().0.iter().copied().map(u64::from_le_bytes).collect()),
        DType::U32 => Data::U32(bytes.as_chunks().0.iter().copied().map(u32::from_le_bytes).collect()),
        DType::U16 => Data::U16(bytes.as_chunks().0.iter().copied().map(u16::from_le_bytes).collect()),
        DType::I8 => Data::I8(bytes.iter().map(|byte| *byte as i8).collect()),
        DType::Bool => Data::Bool(bytes.iter().map(|byte| *byte != 0).collect()),
        // `kind` names no strings.
        DType::U8 | DType::Str => Data::U8(bytes.to_vec()),
    }
}

fn header(source: &mut impl Read) -> Result<Header> {
    let refuse = |_| Error::invalid("the file is shorter than a header");
    let mut start = [0; 8];
    source.read_exact(&mut start).map_err(refuse)?;
    if &start[..6] != b"\x93NUMPY" {
        return Err(Error::invalid("this is no .npy file").hint("write it with numpy.save"));
    }
    let len = if start[6] == 1 {
        let mut len = [0; 2];
        source.read_exact(&mut len).map_err(refuse)?;
        usize::from(u16::from_le_bytes(len))
    } else {
        let mut len = [0; 4];
        source.read_exact(&mut len).map_err(refuse)?;
        u32::from_le_bytes(len) as usize
    };
    if len > MOST_HEADER_BYTES {
        return Err(Error::invalid(format!("the header has {len} bytes, more than {MOST_HEADER_BYTES}")));
    }
    let mut text = vec![0; len];
    source.read_exact(&mut text).map_err(refuse)?;
    parse(&String::from_utf8_lossy(&text))
}

/// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (569, 30), }`.
fn parse(text: &str) -> Result<Header> {
    let after = |name: &str| text.split_once(name).map(|(_, rest)| rest.trim_start_matches([':', ' ']));
    let malformed = || Error::invalid("the header is not NumPy's");
    if !after("'fortran_order'").ok_or_else(malformed)?.starts_with("False") {
        return Err(Error::invalid("the array is in Fortran order").hint("save numpy.ascontiguousarray(it)"));
    }
    let kind = after("'descr'").and_then(|rest| rest.split('\'').nth(1)).ok_or_else(malformed)?;
    let shape =
        after("'shape'").and_then(|rest| rest.strip_prefix('(')?.split_once(')')).ok_or_else(malformed)?.0;
    let sizes = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
    let shape: Vec<usize> =
        sizes.map(str::parse).collect::<std::result::Result<_, _>>().map_err(|_| malformed())?;
    let elements = shape.iter().skip(1).try_fold(1_usize, |product, size| product.checked_mul(*size));
    match elements {
        _ if shape.is_empty() => {
            Err(Error::invalid("the array is a single number").hint("its first dimension is the rows"))
        }
        Some(elements) if elements <= 1 << 20 => Ok(Header { dtype: dtype(kind)?, shape }),
        _ => Err(Error::invalid(format!("a row of shape {shape:?} is too long"))),
    }
}

fn dtype(kind: &str) -> Result<DType> {
    Ok(match kind {
        "<f4" => DType::F32,
        "<f8" => DType::F64,
        "<i8" => DType::I64,
        "<f2" => DType::F16,
        "<i4" => DType::I32,
        "<i2" => DType::I16,
        "<u8" => DType::U64,
        "<u4" => DType::U32,
        "<u2" => DType::U16,
        "|i1" => DType::I8,
        "|u1" => DType::U8,
        "|b1" => DType::Bool,
        _ => {
            return Err(Error::invalid(format!("arrays of {kind} are not read"))
                .hint("little-endian floats of 16, 32 and 64 bits, integers of 8 to 64 and bool are"));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_numpy_writes_it() {
        let read = |text| parse(text).map_err(|error| error.message.into_owned());
        let header = |dtype, shape: &[usize]| Ok(Header { dtype, shape: shape.to_vec() });
        assert_eq!(
            read("{'descr': '<f4', 'fortran_order': False, 'shape': (569, 30), }  \n"),
            header(DType::F32, &[569, 30])
        );
        assert_eq!(
            read("{'descr': '|b1', 'fortran_order': False, 'shape': (4,), }"),
            header(DType::Bool, &[4])
        );
        for (text, refusal) in [
            ("{'descr': '<f4', 'fortran_order': True, 'shape': (4,), }", "the array is in Fortran order"),
            ("{'descr': '>f4', 'fortran_order': False, 'shape': (4,), }", "arrays of >f4 are not read"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "the array is a single number"),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 9999999999), }",
                "a row of shape [1, 9999999999] is too long",
            ),
            ("{'descr': '<f4'}", "the header is not NumPy's"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "the header is not NumPy's"),
        ] {
            assert_eq!(read(text), Err(refusal.to_owned()));
        }
    }
}
