//! Operators on two tensors that are stretched to fit each other: arithmetic, comparisons, logic.

use burn_backend::Backend;

use super::{
    super::{
        DType, Data, Tensor, TensorView,
        plan::{Given, Kernel, Reason, widen},
        tensor::{Element, each_number, each_view},
    },
    Operator, Refusal, Spec,
    broadcast::{Dims, Of, broadcast, elements, zip, zip_by},
    number::Number,
    on_backend,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    Max,
    Min,
    /// The mean of several is their sum, divided.
    Mean,
    Fmod,
    Modulo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Logic {
    And,
    Or,
    Xor,
}

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "Add" | "Sub" | "Mul" | "Div" | "Max" | "Min" | "Sum" | "Mean" | "Mod" => {
            Operator { types: number_types, kernel: arithmetic }
        }
        "Pow" => Operator { types: pow_types, kernel: pow },
        "Equal" | "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual" => {
            Operator { types: comparison_types, kernel: comparison }
        }
        "And" | "Or" | "Xor" => Operator { types: logic_types, kernel: logic },
        _ => return None,
    })
}

/// The type that all inputs share.
fn shared_type(spec: &Spec<'_>) -> Result<DType, Refusal> {
    let dtype = spec.dtype(0)?;
    for input in 1..spec.inputs() {
        let other = spec.dtype(input)?;
        if other != dtype {
            return Err(Refusal::invalid(format!("its inputs are of different types, {dtype} and {other}")));
        }
    }
    Ok(dtype)
}

fn number_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match shared_type(spec)? {
        dtype @ (DType::F16 | DType::Bool | DType::Str) => {
            Err(Refusal::invalid(format!("it does not compute with {dtype}")))
        }
        dtype => Ok(vec![dtype]),
    }
}

fn pow_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    for input in 0..2 {
        if let dtype @ (DType::F16 | DType::Bool | DType::Str) = spec.dtype(input)? {
            return Err(Refusal::invalid(format!("it does not compute with {dtype}")));
        }
    }
    Ok(vec![spec.dtype(0)?])
}

fn comparison_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    shared_type(spec)?;
    Ok(vec![DType::Bool])
}

fn logic_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match shared_type(spec)? {
        DType::Bool => Ok(vec![DType::Bool]),
        dtype => Err(Refusal::invalid(format!("it does not compute with {dtype}"))),
    }
}

/// Runs one expression for whichever type of number two views share.
macro_rules! numbers {
    ($left:expr, $right:expr, |$a:ident, $b:ident| $body:expr) => {{
        let (left, right) = ($left, $right);
        let differ = || format!("it does not compute with {} and {}", left.dtype(), right.dtype());
        each_number!(left, a => {
            let b = right.like(a).ok_or_else(differ)?;
            let ($a, $b) = ((left.shape(), a), (right.shape(), b));
            Ok(Element::data($body))
        }, _other => Err(differ()))
    }};
}

fn calculate<T: Number>(
    left: Of<'_, T>,
    right: Of<'_, T>,
    wide: &[usize],
    op: Arithmetic,
) -> Result<Vec<T>, Reason> {
    Ok(match op {
        Arithmetic::Add | Arithmetic::Mean => zip(left, right, wide, T::add),
        Arithmetic::Sub => zip(left, right, wide, T::sub),
        Arithmetic::Mul => zip(left, right, wide, T::mul),
        Arithmetic::Max => zip(left, right, wide, Number::max),
        Arithmetic::Min => zip(left, right, wide, Number::min),
        Arithmetic::Div => zip(left, right, wide, T::div).into_iter().collect::<Result<_, _>>()?,
        Arithmetic::Fmod => zip(left, right, wide, T::fmod).into_iter().collect::<Result<_, _>>()?,
        Arithmetic::Modulo => zip(left, right, wide, T::modulo).into_iter().collect::<Result<_, _>>()?,
    })
}

/// One step of arithmetic in a plain loop.
fn step(left: TensorView<'_>, right: TensorView<'_>, op: Arithmetic, limit: usize) -> Result<Tensor, Reason> {
    let shape = broadcast(left.shape(), right.shape())?;
    elements(&shape, limit)?;
    let data = match (left, right) {
        // Division of floats cannot fail, so it needs no results of results.
        (TensorView::F32 { shape: x, data: a }, TensorView::F32 { shape: y, data: b })
            if op == Arithmetic::Div =>
        {
            Data::F32(zip((x, a), (y, b), &shape, |left, right| left / right))
        }
        _ => numbers!(left, right, |a, b| calculate(a, b, &shape, op)?)?,
    };
    Ok(Tensor { shape: shape.to_vec(), data })
}

fn divide(tensor: &mut Tensor, by: usize) {
    match &mut tensor.data {
        Data::F32(data) => data.iter_mut().for_each(|value| *value /= by as f32),
        Data::F64(data) => data.iter_mut().for_each(|value| *value /= by as f64),
        _ => {}
    }
}

fn arithmetic<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let op = match spec.op().name.as_str() {
        "Add" | "Sum" => Arithmetic::Add,
        "Sub" => Arithmetic::Sub,
        "Mul" => Arithmetic::Mul,
        "Div" => Arithmetic::Div,
        "Max" => Arithmetic::Max,
        "Min" => Arithmetic::Min,
        "Mean" => Arithmetic::Mean,
        _ if spec.flag("fmod", false)? => Arithmetic::Fmod,
        _ => Arithmetic::Modulo,
    };
    let limit = spec.limits().elements;
    let small = spec.loop_elements();
    let computable = matches!(op, Arithmetic::Add | Arithmetic::Sub | Arithmetic::Mul | Arithmetic::Div);
    if computable && spec.inputs() == 2 && spec.dtype(0)?.is_float() {
        return Ok(Kernel::anywhere(move |args| {
            let shape = broadcast(&args.shape(0)?, &args.shape(1)?)?;
            elements(&shape, limit)?;
            if !on_backend(&shape, small) {
                args.bring_home()?;
                return Ok(step(args.view(0)?, args.view(1)?, op, limit)?.into());
            }
            let left = widen::<B>(args.float(0)?, shape.len());
            let right = widen::<B>(args.float(1)?, shape.len());
            Ok(Given::Float(by_backend::<B>(op, left, right)))
        }));
    }
    Ok(Kernel::host(move |args| {
        if args.len() == 1 {
            return args.take(0);
        }
        let mut sum = step(args.view(0)?, args.view(1)?, op, limit)?;
        for input in 2..args.len() {
            sum = step(sum.view(), args.view(input)?, op, limit)?;
        }
        if op == Arithmetic::Mean {
            divide(&mut sum, args.len());
        }
        Ok(sum)
    }))
}

fn by_backend<B: Backend>(
    op: Arithmetic,
    left: B::FloatTensorPrimitive,
    right: B::FloatTensorPrimitive,
) -> B::FloatTensorPrimitive {
    match op {
        Arithmetic::Sub => B::float_sub(left, right),
        Arithmetic::Mul => B::float_mul(left, right),
        Arithmetic::Div => B::float_div(left, right),
        _ => B::float_add(left, right),
    }
}

/// The exponent may be of another type than the base, whose type the result has.
fn pow<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let (base, exponent) = (args.view(0)?, args.view(1)?);
        let shape = broadcast(base.shape(), exponent.shape())?;
        elements(&shape, limit)?;
        let data = if base.dtype() == exponent.dtype() {
            numbers!(base, exponent, |a, b| zip(a, b, &shape, Number::pow))?
        } else {
            mixed_pow(base, exponent, &shape)?
        };
        Ok(Tensor { shape: shape.to_vec(), data })
    }))
}

fn mixed_pow(base: TensorView<'_>, exponent: TensorView<'_>, shape: &Dims) -> Result<Data, Reason> {
    let base_f64 = super::cast::to_f64(base)?;
    let exponent_f64 = super::cast::to_f64(exponent)?;
    let powers = zip((base.shape(), &base_f64), (exponent.shape(), &exponent_f64), shape, f64::powf);
    super::cast::of_f64(powers, base.dtype())
}

fn comparison<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let op = match spec.op().name.as_str() {
        "Equal" => Comparison::Equal,
        "Less" => Comparison::Less,
        "LessOrEqual" => Comparison::LessOrEqual,
        "Greater" => Comparison::Greater,
        _ => Comparison::GreaterOrEqual,
    };
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let (left, right) = (args.view(0)?, args.view(1)?);
        let shape = broadcast(left.shape(), right.shape())?;
        elements(&shape, limit)?;
        let data = each_view!(left, a => {
            let b = right.like(a).ok_or_else(|| format!("it does not compare {} with {}", left.dtype(), right.dtype()))?;
            compare((left.shape(), a), (right.shape(), b), &shape, op)
        });
        Ok(Tensor::new(shape.to_vec(), Data::Bool(data)))
    }))
}

fn compare<T: PartialOrd>(left: Of<'_, T>, right: Of<'_, T>, wide: &[usize], op: Comparison) -> Vec<bool> {
    match op {
        Comparison::Equal => zip_by(left, right, wide, |left, right| left == right),
        Comparison::Less => zip_by(left, right, wide, |left, right| left < right),
        Comparison::LessOrEqual => zip_by(left, right, wide, |left, right| left <= right),
        Comparison::Greater => zip_by(left, right, wide, |left, right| left > right),
        Comparison::GreaterOrEqual => zip_by(left, right, wide, |left, right| left >= right),
    }
}

fn logic<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let op = match spec.op().name.as_str() {
        "And" => Logic::And,
        "Or" => Logic::Or,
        _ => Logic::Xor,
    };
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let (TensorView::Bool { shape: x, data: a }, TensorView::Bool { shape: y, data: b }) =
            (args.view(0)?, args.view(1)?)
        else {
            return Err("its inputs are not bool".to_owned());
        };
        let shape = broadcast(x, y)?;
        elements(&shape, limit)?;
        let data = zip((x, a), (y, b), &shape, |left, right| match op {
            Logic::And => left & right,
            Logic::Or => left | right,
            Logic::Xor => left ^ right,
        });
        Ok(Tensor::new(shape.to_vec(), Data::Bool(data)))
    }))
}
