//! Einsum: sums of products over named dimensions, one tensor after the other.

mod contract;
mod equation;

use burn_backend::Backend;

use super::{
    super::{
        DType, Limits, Tensor,
        plan::{Kernel, Reason},
        tensor::{Element, each_number},
    },
    Operator, Refusal, Spec,
    number::Number,
};
use contract::{Labelled, Remaining};
use equation::Equation;

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    (name == "Einsum").then_some(Operator { types, kernel })
}

fn equation(spec: &Spec<'_>) -> Result<Equation, Refusal> {
    Equation::parse(spec.text("equation", "")?, spec.inputs()).map_err(Refusal::invalid)
}

fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    equation(spec)?;
    let dtype = spec.dtype(0)?;
    for input in 1..spec.inputs() {
        if spec.dtype(input)? != dtype {
            return Err(Refusal::invalid("its inputs are of different types"));
        }
    }
    match dtype {
        DType::F16 | DType::Bool | DType::Str => {
            Err(Refusal::invalid(format!("it does not compute with {dtype}")))
        }
        dtype => Ok(vec![dtype]),
    }
}

fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let equation = equation(spec)?;
    let limits = *spec.limits();
    Ok(Kernel::host(move |args| {
        let views = (0..args.len()).map(|input| args.view(input)).collect::<Result<Vec<_>, _>>()?;
        let first = *views.first().ok_or("it has no inputs")?;
        let (shape, data) = each_number!(first, like => {
            let mut operands = Vec::with_capacity(views.len());
            for view in &views {
                operands.push((view.shape(), view.like(like).ok_or("its inputs are of different types")?));
            }
            let (shape, data) = summed(&equation, &operands, &limits)?;
            (shape, Element::data(data))
        }, other => return Err(format!("it does not compute with {}", other.dtype())));
        Ok(Tensor { shape, data })
    }))
}

/// The sum of products that an equation asks for.
fn summed<T: Number>(
    equation: &Equation,
    operands: &[(&[usize], &[T])],
    limits: &Limits,
) -> Result<(Vec<usize>, Vec<T>), Reason> {
    let shapes: Vec<&[usize]> = operands.iter().map(|(shape, _)| *shape).collect();
    let labels = equation.labels(&shapes)?;
    let mut remaining = Remaining::new(&labels);
    let mut product: Option<Labelled<T>> = None;
    for (inputs, (shape, data)) in labels.inputs.iter().zip(operands) {
        remaining.pass(inputs);
        let operand = Labelled::new(inputs, shape, data, &labels.sizes);
        product = Some(match product {
            None => operand.reduced(&remaining),
            Some(product) => product.times(operand, &remaining, limits)?,
        });
    }
    let product = product.ok_or("it has no inputs")?;
    product.ordered(&labels.output, limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn einsum(equation: &str, operands: &[(&[usize], &[i64])]) -> Result<(Vec<usize>, Vec<i64>), Reason> {
        summed(&Equation::parse(equation, operands.len())?, operands, &Limits::default())
    }

    #[test]
    fn products_traces_and_transposes() {
        let matrix: (&[usize], &[i64]) = (&[2, 3], &[1, 2, 3, 4, 5, 6]);
        let square: (&[usize], &[i64]) = (&[2, 2], &[1, 2, 3, 4]);
        assert_eq!(einsum("ij->ji", &[matrix]), Ok((vec![3, 2], vec![1, 4, 2, 5, 3, 6])));
        assert_eq!(einsum("ij->i", &[matrix]), Ok((vec![2], vec![6, 15])));
        assert_eq!(einsum("ii", &[square]), Ok((vec![], vec![5])));
        assert_eq!(einsum("ii->i", &[square]), Ok((vec![2], vec![1, 4])));
        assert_eq!(einsum("ij,jk", &[square, matrix]), Ok((vec![2, 3], vec![9, 12, 15, 19, 26, 33])));
        assert_eq!(einsum("ij,ik,ij->jk", &[square, matrix, square]).unwrap().0, [2, 3]);
        assert_eq!(einsum("i,j->ij", &[(&[2], &[1, 2]), (&[2], &[3, 4])]).unwrap().1, [3, 4, 6, 8]);
    }

    #[test]
    fn ellipses_are_stretched() {
        let batch: (&[usize], &[i64]) = (&[2, 1, 2], &[1, 2, 3, 4]);
        let one: (&[usize], &[i64]) = (&[3, 2], &[1, 1, 1, 0, 0, 1]);
        let given = einsum("...i,...i->...", &[batch, one]);
        assert_eq!(given, Ok((vec![2, 3], vec![3, 1, 2, 7, 3, 4])));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(einsum("ij,jk", &[(&[1, 2], &[1, 2]), (&[3, 1], &[1, 2, 3])]).is_err());
        assert!(einsum("ij->k", &[(&[1, 2], &[1, 2])]).is_err());
        assert!(einsum("i", &[(&[1, 2], &[1, 2])]).is_err());
        assert!(einsum("i,j", &[(&[1], &[1])]).is_err());
        assert!(einsum("...i->i", &[(&[1, 1], &[1])]).is_err());
    }
}
