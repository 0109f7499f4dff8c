//! Running sums and products along an axis.

use burn_backend::Backend;

use super::{
    super::{
        DType, Tensor,
        plan::{Kernel, Reason},
        tensor::{Element, each_number},
    },
    Operator, Refusal, Spec, axis,
    number::Number,
    pick::{around, ints},
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    matches!(name, "CumSum" | "CumProd").then_some(Operator { types, kernel })
}

fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        dtype @ (DType::F16 | DType::Bool | DType::Str) => {
            Err(Refusal::invalid(format!("it does not compute with {dtype}")))
        }
        dtype => Ok(vec![dtype]),
    }
}

fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let running = Running {
        product: spec.op().name == "CumProd",
        exclusive: spec.flag("exclusive", false)?,
        reverse: spec.flag("reverse", false)?,
    };
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let [at] = ints(args.view(1)?)?[..] else { return Err("its axis is not one number".to_owned()) };
        let layout = around(view.shape(), axis(at, view.shape().len())?);
        let data = each_number!(view, data => Element::data(running.over(data, layout)), other => {
            return Err(refused(other.dtype()));
        });
        Ok(Tensor::new(view.shape(), data))
    }))
}

fn refused(dtype: DType) -> Reason {
    format!("it does not compute with {dtype}")
}

#[derive(Clone, Copy, Debug)]
struct Running {
    product: bool,
    /// Whether an element itself is left out of what it becomes.
    exclusive: bool,
    /// Whether it runs from the end.
    reverse: bool,
}

impl Running {
    fn over<T: Number>(self, data: &[T], (before, along, after): (usize, usize, usize)) -> Vec<T> {
        let mut out = data.to_vec();
        for block in 0..before {
            for offset in 0..after {
                let mut total = T::of_f64(if self.product { 1.0 } else { 0.0 });
                for step in 0..along {
                    let place = if self.reverse { along - 1 - step } else { step };
                    let at = (block * along + place) * after + offset;
                    let next = if self.product { total.mul(data[at]) } else { total.add(data[at]) };
                    out[at] = if self.exclusive { total } else { next };
                    total = next;
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_from_either_end_with_the_element_or_without() {
        let sums = |exclusive, reverse| {
            Running { product: false, exclusive, reverse }.over(&[1, 2, 3, 10, 20, 30], (2, 3, 1))
        };
        assert_eq!(sums(false, false), [1, 3, 6, 10, 30, 60]);
        assert_eq!(sums(true, false), [0, 1, 3, 0, 10, 30]);
        assert_eq!(sums(false, true), [6, 5, 3, 60, 50, 30]);
        let product = Running { product: true, exclusive: true, reverse: true };
        assert_eq!(product.over(&[1.0, 2.0, 3.0], (1, 3, 1)), [6.0, 3.0, 1.0]);
    }
}
