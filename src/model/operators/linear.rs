//! Products of matrices: general ones on the backend, and layers whose weights never change.

use burn_backend::{Backend, Shape};

use super::{
    super::{
        DType, Data, Tensor, TensorView,
        plan::{Args, Given, Kernel, Reason, reshaped, widen},
    },
    Operator, Refusal, Spec,
    activation::Activation,
    broadcast::{Dims, broadcast, elements},
    panel::Panels,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "MatMul" => Operator { types: float_types, kernel: matmul },
        "Gemm" => Operator { types: float_types, kernel: gemm },
        _ => return None,
    })
}

/// The layer that a pass makes of a product, a sum and an activation.
pub(super) fn find_fused<B: Backend>(name: &str) -> Option<Operator<B>> {
    (name == "Dense").then_some(Operator { types: float_types, kernel: dense })
}

fn float_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let dtype = spec.dtype(0)?;
    for input in (1..spec.inputs()).filter(|&input| spec.has(input)) {
        if spec.dtype(input)? != dtype {
            return Err(Refusal::invalid("its inputs are of different types"));
        }
    }
    if dtype.is_float() { Ok(vec![dtype]) } else { Err(Refusal::unsupported(format!("products of {dtype}"))) }
}

fn zeros(shape: Vec<usize>, dtype: DType) -> Tensor {
    let count = shape.iter().product();
    let data = if dtype == DType::F64 { Data::F64(vec![0.0; count]) } else { Data::F32(vec![0.0; count]) };
    Tensor { shape, data }
}

/// The sizes of two tensors as numpy multiplies them: matrices, or vectors, or batches of matrices.
pub(super) struct Factors {
    /// Dimensions in front of the matrices, of both stretched to fit each other.
    pub(super) batch: Dims,
    /// None of a vector, which becomes a row on the left and a column on the right.
    pub(super) rows: Option<usize>,
    pub(super) inner: usize,
    pub(super) columns: Option<usize>,
}

impl Factors {
    pub(super) fn new(left: &[usize], right: &[usize]) -> Result<Factors, Reason> {
        let misfit = || format!("shapes {left:?} and {right:?} have no product");
        let (rows, inner) = match left {
            [] => return Err(misfit()),
            [inner] => (None, *inner),
            [.., rows, inner] => (Some(*rows), *inner),
        };
        let (depth, columns) = match right {
            [] => return Err(misfit()),
            [depth] => (*depth, None),
            [.., depth, columns] => (*depth, Some(*columns)),
        };
        if inner != depth {
            return Err(misfit());
        }
        Ok(Factors { batch: broadcast(outer(left), outer(right))?, rows, inner, columns })
    }

    /// The shape of the product.
    pub(super) fn product(&self) -> Vec<usize> {
        let mut shape = self.batch.to_vec();
        shape.extend(self.rows);
        shape.extend(self.columns);
        shape
    }
}

/// The dimensions in front of a matrix.
pub(super) fn outer(shape: &[usize]) -> &[usize] {
    &shape[..shape.len().saturating_sub(2)]
}

fn matmul<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let limit = spec.limits().elements;
    Ok(Kernel::anywhere(move |args| {
        let (left, right) = (args.shape(0)?, args.shape(1)?);
        let factors = Factors::new(&left, &right)?;
        let shape = factors.product();
        if elements(&shape, limit)? == 0 || factors.inner == 0 {
            return Ok(zeros(shape, args.dtype(0)?).into());
        }
        let matrix = |shape: &[usize], row, column| Shape::from([outer(shape), &[row, column]].concat());
        let left = matrix(&left, factors.rows.unwrap_or(1), factors.inner);
        let right = matrix(&right, factors.inner, factors.columns.unwrap_or(1));
        let left = B::float_reshape(args.float(0)?, left);
        let right = B::float_reshape(args.float(1)?, right);
        let rank = factors.batch.len() + 2;
        let product = B::float_matmul(widen::<B>(left, rank), widen::<B>(right, rank));
        reshaped::<B>(product, shape)
    }))
}

/// `alpha * A * B + beta * C`.
fn gemm<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (alpha, beta) = (spec.float("alpha", 1.0)?, spec.float("beta", 1.0)?);
    let (turn_a, turn_b) = (spec.flag("transA", false)?, spec.flag("transB", false)?);
    let limit = spec.limits().elements;
    Ok(Kernel::anywhere(move |args| {
        let (a, b) = (args.shape(0)?, args.shape(1)?);
        let (&[mut rows, mut inner], &[mut depth, mut columns]) = (&a[..], &b[..]) else {
            return Err(format!("shapes {a:?} and {b:?} are not those of matrices"));
        };
        if turn_a {
            (rows, inner) = (inner, rows);
        }
        if turn_b {
            (depth, columns) = (columns, depth);
        }
        if inner != depth {
            return Err(format!("shapes {a:?} and {b:?} have no product"));
        }
        let count = elements(&[rows, columns], limit)?;
        if args.has(2) && broadcast(&[rows, columns], &args.shape(2)?)?[..] != [rows, columns] {
            return Err(format!(
                "shape {:?} does not fit the product's {:?}",
                args.shape(2)?,
                [rows, columns]
            ));
        }
        if count == 0 {
            return Ok(zeros(vec![rows, columns], args.dtype(0)?).into());
        }
        let mut product = if inner == 0 {
            args.upload(zeros(vec![rows, columns], args.dtype(0)?))?
        } else {
            let turned = |tensor, turn| if turn { B::float_transpose(tensor) } else { tensor };
            B::float_matmul(turned(args.float(0)?, turn_a), turned(args.float(1)?, turn_b))
        };
        if alpha != 1.0 {
            product = B::float_mul_scalar(product, alpha.into());
        }
        if args.has(2) && beta != 0.0 {
            let mut sum = widen::<B>(args.float(2)?, 2);
            if beta != 1.0 {
                sum = B::float_mul_scalar(sum, beta.into());
            }
            product = B::float_add(product, sum);
        }
        Ok(Given::Float(product))
    }))
}

/// A layer: weights `[inner, columns]` and a bias `[columns]`, both constant, then an activation.
fn dense<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (Some(weights), Some(activation)) =
        (spec.constant(1), Activation::named(spec.text("activation", "")?))
    else {
        return Err(Refusal::invalid("it is no layer"));
    };
    let &[inner, columns] = weights.shape.as_slice() else {
        return Err(Refusal::invalid("its weights are no matrix"));
    };
    let bias = spec.constant(2);
    let wide = spec.flag("wide", false)?;
    let panels = match (&weights.data, bias.as_ref().map(|bias| &bias.data)) {
        (Data::F32(weights), Some(Data::F32(bias))) => Some(Panels::new(weights, bias, columns)),
        (Data::F32(weights), None) => Some(Panels::new(weights, &vec![0.0; columns], columns)),
        _ => None,
    };
    let limit = spec.limits().elements;
    let packed = spec.packed_elements();
    Ok(Kernel::anywhere(move |args| {
        let mut shape = args.shape(0)?.to_vec();
        match shape.last_mut() {
            Some(last) if *last == inner => *last = columns,
            _ => return Err(format!("a tensor of shape {shape:?} does not fit weights of {inner} rows")),
        }
        // A bias of two dimensions makes a matrix of a vector.
        if wide && shape.len() == 1 {
            shape.insert(0, 1);
        }
        let count = elements(&shape, limit)?;
        if let (Some(panels), true) = (&panels, count <= packed || count == 0)
            && let Some(TensorView::F32 { data, .. }) = args.at_home(0)
        {
            let mut out = vec![0.0; count];
            panels.multiply(data, &mut out);
            activation.apply(&mut out);
            return Ok(Tensor::f32(shape, out).into());
        }
        on_backend(args, shape, inner, columns, activation)
    }))
}

fn on_backend<B: Backend>(
    args: &mut Args<'_, '_, B>,
    shape: Vec<usize>,
    inner: usize,
    columns: usize,
    activation: Activation,
) -> Result<Given<B>, Reason> {
    let count: usize = shape.iter().product();
    if count == 0 {
        return Ok(zeros(shape, args.dtype(0)?).into());
    }
    let rows = Shape::new([count / columns, inner]);
    let mut product = B::float_matmul(B::float_reshape(args.float(0)?, rows), args.float(1)?);
    if args.has(2) {
        let bias = B::float_reshape(args.float(2)?, Shape::new([1, columns]));
        product = B::float_add(product, bias);
    }
    Ok(Given::Float(B::float_reshape(activation.on_backend::<B>(product), Shape::from(shape))))
}
