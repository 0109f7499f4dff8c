//! Quantisation: floats as integers, by a scale and the integer that stands for zero. Integers are multiplied as such.

mod centred;
mod conv;
mod linear;
mod product;
mod scale;

use burn_backend::Backend;

use super::{Operator, number::Number};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "QuantizeLinear" => Operator { types: linear::quantized_types, kernel: linear::quantize },
        "DequantizeLinear" => Operator { types: linear::float_types, kernel: linear::dequantize },
        "DynamicQuantizeLinear" => Operator { types: linear::dynamic_types, kernel: linear::dynamic },
        "MatMulInteger" => Operator { types: centred::types, kernel: product::matmul },
        "QLinearMatMul" => Operator { types: centred::quantized_types, kernel: product::quantized_matmul },
        "ConvInteger" => Operator { types: centred::types, kernel: conv::conv },
        "QLinearConv" => Operator { types: centred::quantized_types, kernel: conv::quantized_conv },
        _ => return None,
    })
}

/// A type of integers that floats are quantised to.
trait Quantized: Number {
    /// The nearest to a number.
    fn saturated(value: f64) -> Self;
}

macro_rules! quantized {
    ($($type:ty),*) => {
        $(impl Quantized for $type {
            fn saturated(value: f64) -> $type {
                value as $type
            }
        })*
    };
}

quantized!(i8, u8, i16, u16);
