//! Operators on the bits of integers, and bits taken for another type.

use burn_backend::Backend;

use super::{
    super::{
        DType, Data, Tensor, TensorView, onnx,
        plan::{Kernel, Reason},
    },
    Operator, Refusal, Spec,
    broadcast::{broadcast, elements, zip},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bitwise {
    And,
    Or,
    Xor,
    Left,
    Right,
}

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "BitwiseAnd" | "BitwiseOr" | "BitwiseXor" | "BitShift" => {
            Operator { types: pair_types, kernel: pair }
        }
        "BitwiseNot" => Operator { types: not_types, kernel: not },
        "BitCast" => Operator { types: bit_cast_types, kernel: bit_cast },
        _ => return None,
    })
}

fn integer(spec: &Spec<'_>, input: usize) -> Result<DType, Refusal> {
    match spec.dtype(input)? {
        dtype if dtype.is_integer() => Ok(dtype),
        dtype => Err(Refusal::invalid(format!("it does not compute with {dtype}"))),
    }
}

fn pair_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let (left, right) = (integer(spec, 0)?, integer(spec, 1)?);
    if left != right {
        return Err(Refusal::invalid(format!("its inputs are of different types, {left} and {right}")));
    }
    Ok(vec![left])
}

fn not_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    Ok(vec![integer(spec, 0)?])
}

/// An integer as a row of bits.
trait Bits: Copy {
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    fn not(self) -> Self;
    /// Towards higher places; those that leave the row are lost.
    fn left(self, by: Self) -> Self;
    /// Towards lower places; the sign fills up.
    fn right(self, by: Self) -> Self;
}

macro_rules! bits {
    ($($type:ty),*) => {$(
        impl Bits for $type {
            fn and(self, other: Self) -> Self {
                self & other
            }
            fn or(self, other: Self) -> Self {
                self | other
            }
            fn xor(self, other: Self) -> Self {
                self ^ other
            }
            fn not(self) -> Self {
                !self
            }
            fn left(self, by: Self) -> Self {
                u32::try_from(by).ok().and_then(|by| self.checked_shl(by)).unwrap_or(0)
            }
            #[allow(unused_comparisons)]
            fn right(self, by: Self) -> Self {
                let all = if self < 0 { !0 } else { 0 };
                u32::try_from(by).ok().and_then(|by| self.checked_shr(by)).unwrap_or(all)
            }
        }
    )*};
}

bits!(i64, i32, i16, i8, u64, u32, u16, u8);

fn pair<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let op = match (spec.op().name.as_str(), spec.text("direction", "")?) {
        ("BitwiseAnd", _) => Bitwise::And,
        ("BitwiseOr", _) => Bitwise::Or,
        ("BitwiseXor", _) => Bitwise::Xor,
        (_, "LEFT") => Bitwise::Left,
        (_, "RIGHT") => Bitwise::Right,
        (_, other) => return Err(Refusal::invalid(format!("it does not shift to `{other}`"))),
    };
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let (left, right) = (args.view(0)?, args.view(1)?);
        let shape = broadcast(left.shape(), right.shape())?;
        elements(&shape, limit)?;
        macro_rules! each {
            ($($kind:ident),*) => {
                match (left, right) {
                    $((TensorView::$kind { shape: x, data: a }, TensorView::$kind { shape: y, data: b }) => {
                        Data::$kind(match op {
                            Bitwise::And => zip((x, a), (y, b), &shape, Bits::and),
                            Bitwise::Or => zip((x, a), (y, b), &shape, Bits::or),
                            Bitwise::Xor => zip((x, a), (y, b), &shape, Bits::xor),
                            Bitwise::Left => zip((x, a), (y, b), &shape, Bits::left),
                            Bitwise::Right => zip((x, a), (y, b), &shape, Bits::right),
                        })
                    })*
                    _ => return Err("its inputs are not integers of one type".to_owned()),
                }
            };
        }
        let data = each!(I64, I32, I16, I8, U64, U32, U16, U8);
        Ok(Tensor { shape: shape.to_vec(), data })
    }))
}

fn not<B: Backend>(_: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    Ok(Kernel::host(|args| {
        let mut tensor = args.take(0)?;
        macro_rules! each {
            ($($kind:ident),*) => {
                match &mut tensor.data {
                    $(Data::$kind(data) => data.iter_mut().for_each(|value| *value = Bits::not(*value)),)*
                    other => return Err(format!("it does not compute with {}", other.dtype())),
                }
            };
        }
        each!(I64, I32, I16, I8, U64, U32, U16, U8);
        Ok(tensor)
    }))
}

fn bit_cast_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let from = spec.dtype(0)?;
    let to = target(spec)?;
    if from == DType::Str || to == DType::Str || from.size() != to.size() {
        return Err(Refusal::invalid(format!("the bits of {from} are not those of {to}")));
    }
    Ok(vec![to])
}

fn target(spec: &Spec<'_>) -> Result<DType, Refusal> {
    let to = i32::try_from(spec.int("to", 0)?).unwrap_or(0);
    onnx::dtype(to).ok_or_else(|| Refusal::unsupported(format!("to {}", onnx::element_name(to))))
}

fn bit_cast<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    // What is cast to its own type may be kept in wider floats.
    let to = spec.output(0).unwrap_or(target(spec)?);
    Ok(Kernel::host(move |args| {
        let tensor = args.take(0)?;
        if tensor.dtype() == to {
            return Ok(tensor);
        }
        let data = onnx::raw(&bytes(&tensor.data)?, to);
        let data = data.ok_or_else(|| format!("the bits of {} are not those of {to}", tensor.dtype()))?;
        Ok(Tensor { shape: tensor.shape, data })
    }))
}

/// The elements' bytes, the lowest first.
fn bytes(data: &Data) -> Result<Vec<u8>, Reason> {
    macro_rules! each {
        ($($kind:ident),*) => {
            match data {
                $(Data::$kind(data) => data.iter().flat_map(|value| value.to_le_bytes()).collect(),)*
                Data::Bool(data) => data.iter().map(|&value| u8::from(value)).collect(),
                Data::Str(_) => return Err("strings have no bits".to_owned()),
            }
        };
    }
    Ok(each!(F32, F64, F16, I64, I32, I16, I8, U64, U32, U16, U8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shifted_out_is_lost_and_the_sign_fills_up() {
        assert_eq!((1_u8.left(7), 1_u8.left(8), 200_u8.right(200)), (128, 0, 0));
        assert_eq!(((-5_i32).right(1), (-5_i32).right(40), 5_i32.right(-1)), (-3, -1, 0));
        assert_eq!(((-1_i8).left(7), 1_i8.left(-1)), (-128, 0));
    }
}
