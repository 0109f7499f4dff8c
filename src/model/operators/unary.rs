//! Operators on each element of one tensor of floats.

use burn_backend::Backend;

use super::{
    super::{
        DType, Data, Tensor,
        plan::{Given, Kernel, Reason},
    },
    Operator, Refusal, Spec, on_backend,
};

/// Applies a function to each element.
type Loop<T> = Box<dyn Fn(&mut [T]) + Send + Sync>;

/// A function of one number: as a loop applies it, and as the backend does.
struct Function<B: Backend> {
    f32: Loop<f32>,
    f64: Loop<f64>,
    /// None where the backend's differs at infinities, NaN or ties.
    backend: Option<fn(B::FloatTensorPrimitive) -> B::FloatTensorPrimitive>,
}

/// A function written once for both types.
macro_rules! function {
    (|$x:ident: $float:ident| $body:expr) => {
        function!(|$x: $float| $body, None)
    };
    (|$x:ident: $float:ident| $body:expr, $backend:expr) => {
        Function::<B> {
            f32: Box::new(move |data| {
                #[allow(dead_code)]
                type $float = f32;
                data.iter_mut().for_each(|value| {
                    let $x = *value;
                    *value = $body;
                });
            }),
            f64: Box::new(move |data| {
                #[allow(dead_code)]
                type $float = f64;
                data.iter_mut().for_each(|value| {
                    let $x = *value;
                    *value = $body;
                });
            }),
            backend: $backend,
        }
    };
}

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "Exp" | "Log" | "Sqrt" | "Reciprocal" | "Floor" | "Ceil" | "Round" | "Sin" | "Cos" | "Tan"
        | "Asin" | "Acos" | "Atan" | "Sinh" | "Cosh" | "Tanh" | "Asinh" | "Acosh" | "Atanh" | "Erf"
        | "Sigmoid" | "Softplus" | "Softsign" | "Elu" | "LeakyRelu" | "Selu" | "Celu" | "HardSigmoid"
        | "HardSwish" | "ThresholdedRelu" | "Mish" | "Gelu" | "Swish" | "Shrink" => {
            Operator { types: float_types, kernel: float }
        }
        "Abs" | "Neg" | "Sign" | "Relu" => Operator { types: number_types, kernel: number },
        "Not" => Operator { types: bool_types, kernel: not },
        "IsNaN" | "IsInf" => Operator { types: test_types, kernel: test },
        _ => return None,
    })
}

fn float_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        dtype if dtype.is_float() => Ok(vec![dtype]),
        dtype if dtype.is_integer() && spec.op().name == "Shrink" => {
            Err(Refusal::unsupported(format!("of {dtype}")))
        }
        dtype => Err(Refusal::invalid(format!("it does not compute with {dtype}"))),
    }
}

fn number_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        dtype @ (DType::F16 | DType::Bool | DType::Str) => {
            Err(Refusal::invalid(format!("it does not compute with {dtype}")))
        }
        dtype => Ok(vec![dtype]),
    }
}

fn bool_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        DType::Bool => Ok(vec![DType::Bool]),
        dtype => Err(Refusal::invalid(format!("it does not compute with {dtype}"))),
    }
}

fn test_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    float_types(spec).map(|_| vec![DType::Bool])
}

/// The functions without parameters.
fn plain<B: Backend>(name: &str) -> Option<Function<B>> {
    Some(match name {
        "Exp" => function!(|x: F| x.exp(), Some(B::float_exp)),
        "Log" => function!(|x: F| x.ln(), Some(B::float_log)),
        "Sqrt" => function!(|x: F| x.sqrt(), Some(B::float_sqrt)),
        "Reciprocal" => function!(|x: F| x.recip(), Some(B::float_recip)),
        "Floor" => function!(|x: F| x.floor(), Some(B::float_floor)),
        "Ceil" => function!(|x: F| x.ceil(), Some(B::float_ceil)),
        "Round" => function!(|x: F| x.round_ties_even()),
        "Sin" => function!(|x: F| x.sin(), Some(B::float_sin)),
        "Cos" => function!(|x: F| x.cos(), Some(B::float_cos)),
        "Tan" => function!(|x: F| x.tan(), Some(B::float_tan)),
        "Asin" => function!(|x: F| x.asin(), Some(B::float_asin)),
        "Acos" => function!(|x: F| x.acos(), Some(B::float_acos)),
        "Atan" => function!(|x: F| x.atan(), Some(B::float_atan)),
        "Sinh" => function!(|x: F| x.sinh(), Some(B::float_sinh)),
        "Cosh" => function!(|x: F| x.cosh(), Some(B::float_cosh)),
        "Tanh" => function!(|x: F| x.tanh(), Some(B::float_tanh)),
        "Asinh" => function!(|x: F| x.asinh()),
        "Acosh" => function!(|x: F| x.acosh()),
        "Atanh" => function!(|x: F| x.atanh()),
        "Sigmoid" => function!(|x: F| 1.0 / (1.0 + (-x).exp()), Some(B::sigmoid)),
        "Softplus" => function!(|x: F| if x > 0.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() }),
        "Softsign" => function!(|x: F| x / (1.0 + x.abs())),
        "HardSwish" => function!(|x: F| x * (x / 6.0 + 0.5).clamp(0.0, 1.0)),
        "Mish" => function!(|x: F| {
            let softplus: F = if x > 0.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() };
            x * softplus.tanh()
        }),
        _ => return None,
    })
}

/// `erf(x * factor)`, computed in 64 bits.
fn error_function(x: impl Into<f64>, factor: f64) -> f64 {
    libm::erf(x.into() * factor)
}

/// The functions whose parameters are attributes.
fn shaped<B: Backend>(spec: &Spec<'_>) -> Result<Function<B>, Refusal> {
    let alpha = |default| spec.float("alpha", default);
    Ok(match spec.op().name.as_str() {
        "Erf" => function!(|x: F| error_function(x, 1.0) as F),
        "Elu" => {
            let alpha = alpha(1.0)?;
            function!(|x: F| if x < 0.0 { F::from(alpha) * x.exp_m1() } else { x })
        }
        "LeakyRelu" => {
            let alpha = alpha(0.01)?;
            function!(|x: F| if x < 0.0 { F::from(alpha) * x } else { x })
        }
        "Selu" => {
            let (alpha, gamma) = (alpha(1.673_263_2)?, spec.float("gamma", 1.050_701)?);
            function!(|x: F| F::from(gamma) * if x <= 0.0 { F::from(alpha) * x.exp_m1() } else { x })
        }
        "Celu" => {
            let alpha = alpha(1.0)?;
            function!(|x: F| x.max(0.0) + (F::from(alpha) * (x / F::from(alpha)).exp_m1()).min(0.0))
        }
        "HardSigmoid" => {
            let (alpha, beta) = (alpha(0.2)?, spec.float("beta", 0.5)?);
            function!(|x: F| (F::from(alpha) * x + F::from(beta)).clamp(0.0, 1.0))
        }
        "ThresholdedRelu" => {
            let alpha = alpha(1.0)?;
            function!(|x: F| if x > F::from(alpha) { x } else { 0.0 })
        }
        "Shrink" => {
            let (bias, edge) = (spec.float("bias", 0.0)?, spec.float("lambd", 0.5)?);
            function!(|x: F| {
                let (bias, edge) = (F::from(bias), F::from(edge));
                if x < -edge {
                    x + bias
                } else if x > edge {
                    x - bias
                } else {
                    0.0
                }
            })
        }
        "Swish" => {
            let alpha = alpha(1.0)?;
            function!(|x: F| x / (1.0 + (-F::from(alpha) * x).exp()))
        }
        "Gelu" if spec.text("approximate", "none")? == "tanh" => function!(|x: F| {
            let inner = (2.0 / std::f64::consts::PI).sqrt() as F * (x + 0.044715 * x * x * x);
            0.5 * x * (1.0 + inner.tanh())
        }),
        "Gelu" => function!(|x: F| {
            let erf = error_function(x, std::f64::consts::FRAC_1_SQRT_2) as F;
            0.5 * x * (1.0 + erf)
        }),
        name => return Err(Refusal::unsupported(format!("{name} is not known"))),
    })
}

fn float<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let function = match plain::<B>(&spec.op().name) {
        Some(function) => function,
        None => shaped::<B>(spec)?,
    };
    let small = spec.loop_elements();
    Ok(Kernel::anywhere(move |args| {
        if let Some(backend) = function.backend
            && (args.at_home(0).is_none() || on_backend(&args.shape(0)?, small))
        {
            return Ok(Given::Float(backend(args.float(0)?)));
        }
        let mut tensor = args.take(0)?;
        match &mut tensor.data {
            Data::F32(data) => (function.f32)(data),
            Data::F64(data) => (function.f64)(data),
            other => return Err(format!("it does not compute with {}", other.dtype())),
        }
        Ok(tensor.into())
    }))
}

#[derive(Clone, Copy)]
enum Simple {
    Abs,
    Neg,
    Sign,
    Relu,
}

fn number<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let op = match spec.op().name.as_str() {
        "Abs" => Simple::Abs,
        "Neg" => Simple::Neg,
        "Sign" => Simple::Sign,
        _ => Simple::Relu,
    };
    let small = spec.loop_elements();
    Ok(Kernel::anywhere(move |args| {
        if args.dtype(0)?.is_float() && (args.at_home(0).is_none() || on_backend(&args.shape(0)?, small)) {
            match op {
                Simple::Abs => return Ok(Given::Float(B::float_abs(args.float(0)?))),
                Simple::Neg => return Ok(Given::Float(B::float_neg(args.float(0)?))),
                // The backend's send NaN to zero.
                Simple::Sign | Simple::Relu => {}
            }
        }
        let mut tensor = args.take(0)?;
        simple(&mut tensor, op)?;
        Ok(tensor.into())
    }))
}

fn simple(tensor: &mut Tensor, op: Simple) -> Result<(), Reason> {
    macro_rules! each {
        ($data:expr, $zero:expr, $nan:expr, $abs:expr, $neg:expr, $sign:expr) => {
            $data.iter_mut().for_each(|value| {
                *value = match op {
                    Simple::Abs => $abs(*value),
                    Simple::Neg => $neg(*value),
                    Simple::Sign => $sign(*value),
                    Simple::Relu if *value > $zero || $nan(*value) => *value,
                    Simple::Relu => $zero,
                }
            })
        };
    }
    let sign_f32 = |x: f32| if x == 0.0 || x.is_nan() { x } else { x.signum() };
    let sign_f64 = |x: f64| if x == 0.0 || x.is_nan() { x } else { x.signum() };
    match &mut tensor.data {
        Data::F32(data) => each!(data, 0.0, f32::is_nan, f32::abs, |x: f32| -x, sign_f32),
        Data::F64(data) => each!(data, 0.0, f64::is_nan, f64::abs, |x: f64| -x, sign_f64),
        Data::I64(data) => each!(data, 0, |_| false, i64::wrapping_abs, i64::wrapping_neg, i64::signum),
        Data::I32(data) => each!(data, 0, |_| false, i32::wrapping_abs, i32::wrapping_neg, i32::signum),
        Data::I16(data) => each!(data, 0, |_| false, i16::wrapping_abs, i16::wrapping_neg, i16::signum),
        Data::I8(data) => each!(data, 0, |_| false, i8::wrapping_abs, i8::wrapping_neg, i8::signum),
        Data::U64(data) => each!(data, 0, |_| false, |x| x, u64::wrapping_neg, |x: u64| x.min(1)),
        Data::U32(data) => each!(data, 0, |_| false, |x| x, u32::wrapping_neg, |x: u32| x.min(1)),
        Data::U16(data) => each!(data, 0, |_| false, |x| x, u16::wrapping_neg, |x: u16| x.min(1)),
        Data::U8(data) => each!(data, 0, |_| false, |x| x, u8::wrapping_neg, |x: u8| x.min(1)),
        other => return Err(format!("it does not compute with {}", other.dtype())),
    }
    Ok(())
}

fn not<B: Backend>(_: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    Ok(Kernel::host(|args| {
        let mut tensor = args.take(0)?;
        match &mut tensor.data {
            Data::Bool(data) => data.iter_mut().for_each(|value| *value = !*value),
            other => return Err(format!("it does not compute with {}", other.dtype())),
        }
        Ok(tensor)
    }))
}

fn test<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let nan = spec.op().name == "IsNaN";
    let positive = spec.flag("detect_positive", true)?;
    let negative = spec.flag("detect_negative", true)?;
    let test = move |value: f64| {
        if nan {
            value.is_nan()
        } else {
            (positive && value == f64::INFINITY) || (negative && value == f64::NEG_INFINITY)
        }
    };
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let data = super::cast::to_f64(view)?.into_iter().map(test).collect();
        Ok(Tensor::new(view.shape(), Data::Bool(data)))
    }))
}
