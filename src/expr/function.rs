//! Functions of one name and fixed arguments.

use std::borrow::Cow;

use super::{
    eval::Fault,
    value::{Type, Value},
};

/// A function that is null if an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Ceil,
    Cos,
    Exp,
    Floor,
    Length,
    Ln,
    Log10,
    Log2,
    Lower,
    Power,
    Round,
    Sign,
    Sin,
    Sqrt,
    Tan,
    Upper,
}

/// All names, for suggestions; those that the compiler knows as something else too.
pub(super) const NAMES: [&str; 23] = [
    "abs", "ceil", "ceiling", "coalesce", "cos", "exp", "floor", "greatest", "least", "length", "ln",
    "log10", "log2", "lower", "nullif", "pow", "power", "round", "sign", "sin", "sqrt", "tan", "upper",
];

impl Function {
    pub(super) fn named(name: &str) -> Option<Function> {
        Some(match name {
            "abs" => Function::Abs,
            "ceil" | "ceiling" => Function::Ceil,
            "cos" => Function::Cos,
            "exp" => Function::Exp,
            "floor" => Function::Floor,
            "length" => Function::Length,
            "ln" => Function::Ln,
            "log10" => Function::Log10,
            "log2" => Function::Log2,
            "lower" => Function::Lower,
            "pow" | "power" => Function::Power,
            "round" => Function::Round,
            "sign" => Function::Sign,
            "sin" => Function::Sin,
            "sqrt" => Function::Sqrt,
            "tan" => Function::Tan,
            "upper" => Function::Upper,
            _ => return None,
        })
    }

    /// The result's type for these arguments, or what the arguments should be.
    pub(super) fn check(self, arguments: &[Type]) -> Result<Type, &'static str> {
        let numeric = |at: Type| at.is_numeric() || at == Type::Null;
        match (self, arguments) {
            (Function::Length, [Type::Str | Type::Bytes | Type::Null]) => Ok(Type::Int),
            (Function::Length, _) => Err("one text or bytes"),
            (Function::Lower | Function::Upper, [Type::Str | Type::Null]) => Ok(Type::Str),
            (Function::Lower | Function::Upper, _) => Err("one text"),
            (Function::Power, [a, b]) if numeric(*a) && numeric(*b) => Ok(Type::Float),
            (Function::Power, _) => Err("two numbers"),
            (Function::Round, [of, Type::Int | Type::Null]) if numeric(*of) => Ok(Type::Float),
            (Function::Abs | Function::Ceil | Function::Floor | Function::Round | Function::Sign, [of])
                if numeric(*of) =>
            {
                Ok(if *of == Type::Int { Type::Int } else { Type::Float })
            }
            (Function::Round, _) => Err("a number, and an integer of decimals or nothing"),
            (_, [of]) if numeric(*of) => Ok(Type::Float),
            _ => Err("one number"),
        }
    }

    pub(super) fn call<'v>(self, first: Value<'v>, second: Option<Value<'v>>) -> Result<Value<'v>, Fault> {
        match (self, &first, second) {
            (_, Value::Null, _) | (_, _, Some(Value::Null)) => Ok(Value::Null),
            (Function::Length, Value::Str(text), _) => Ok(Value::Int(text.chars().count() as i64)),
            (Function::Length, Value::Bytes(bytes), _) => Ok(Value::Int(bytes.len() as i64)),
            (Function::Lower, Value::Str(text), _) => Ok(Value::Str(Cow::Owned(text.to_lowercase()))),
            (Function::Upper, Value::Str(text), _) => Ok(Value::Str(Cow::Owned(text.to_uppercase()))),
            (_, Value::Int(number), None) if self.keeps_integers() => self.of_int(*number),
            (_, _, second) => {
                let second = second.and_then(|value| value.as_f64());
                Ok(first.as_f64().map_or(Value::Null, |number| Value::Float(self.of_float(number, second))))
            }
        }
    }

    fn keeps_integers(self) -> bool {
        matches!(self, Function::Abs | Function::Ceil | Function::Floor | Function::Round | Function::Sign)
    }

    fn of_int(self, number: i64) -> Result<Value<'static>, Fault> {
        match self {
            Function::Abs => number.checked_abs().map(Value::Int).ok_or(Fault::Overflow),
            Function::Sign => Ok(Value::Int(number.signum())),
            _ => Ok(Value::Int(number)),
        }
    }

    fn of_float(self, number: f64, second: Option<f64>) -> f64 {
        match self {
            Function::Abs => number.abs(),
            Function::Ceil => number.ceil(),
            Function::Cos => number.cos(),
            Function::Exp => number.exp(),
            Function::Floor => number.floor(),
            Function::Ln => number.ln(),
            Function::Log10 => number.log10(),
            Function::Log2 => number.log2(),
            Function::Power => number.powf(second.unwrap_or(f64::NAN)),
            Function::Round => round(number, second.unwrap_or(0.0)),
            Function::Sign if number == 0.0 || number.is_nan() => number,
            Function::Sign => number.signum(),
            Function::Sin => number.sin(),
            Function::Sqrt => number.sqrt(),
            Function::Tan => number.tan(),
            // The compiler admits numbers to none of these.
            Function::Length | Function::Lower | Function::Upper => f64::NAN,
        }
    }
}

/// Half away from zero, to this many decimals; a negative number of them rounds to tens, hundreds and so on.
fn round(number: f64, decimals: f64) -> f64 {
    // Bounded so that the scale stays finite.
    let scale = 10f64.powi(decimals.abs().min(300.0) as i32);
    let rounded = match decimals {
        0.0 => number.round(),
        _ if decimals > 0.0 => (number * scale).round() / scale,
        _ => (number / scale).round() * scale,
    };
    if rounded.is_finite() { rounded } else { number }
}
