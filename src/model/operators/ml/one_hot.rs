//! OneHotEncoder: for each element a row of zeros with a one in the column of its category.

use std::collections::HashMap;

use burn_backend::Backend;

use super::{
    super::{
        super::{
            DType, Tensor, TensorView,
            plan::{Kernel, Reason},
        },
        broadcast::elements,
    },
    Operator, Refusal, Spec, cast,
    lookup::places,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    (name == "OneHotEncoder").then_some(Operator { types, kernel })
}

/// The column of each category.
enum Categories {
    Strings(HashMap<String, usize>),
    Ints(HashMap<i64, usize>),
}

impl Categories {
    /// Gives their number, too.
    fn new(spec: &Spec<'_>) -> Result<(Categories, usize), Refusal> {
        match (spec.texts("cats_strings")?, spec.ints("cats_int64s")?) {
            (Some(strings), _) if !strings.is_empty() => {
                Ok((Categories::Strings(places(strings.iter().cloned())), strings.len()))
            }
            (_, Some(ints)) if !ints.is_empty() => {
                Ok((Categories::Ints(places(ints.iter().copied())), ints.len()))
            }
            _ => Err(Refusal::invalid("it has no categories")),
        }
    }

    fn columns(&self, view: TensorView<'_>) -> Result<Vec<Option<usize>>, Reason> {
        Ok(match (self, view) {
            (Categories::Strings(columns), TensorView::Str { data, .. }) => {
                data.iter().map(|value| columns.get(value).copied()).collect()
            }
            (Categories::Ints(columns), TensorView::I64 { data, .. }) => {
                data.iter().map(|value| columns.get(value).copied()).collect()
            }
            // Other numbers are cut to integers; NaN is none.
            (Categories::Ints(columns), view) => {
                let whole = |value: f64| (!value.is_nan()).then_some(value as i64);
                let column = |value| whole(value).and_then(|value| columns.get(&value).copied());
                cast::to_f64(view)?.into_iter().map(column).collect()
            }
            (Categories::Strings(_), other) => {
                return Err(format!("its categories are not {}", other.dtype()));
            }
        })
    }
}

fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let strings = spec.texts("cats_strings")?.is_some_and(|categories| !categories.is_empty());
    match spec.dtype(0)? {
        DType::Str if strings => Ok(vec![DType::F32]),
        DType::I64 | DType::I32 | DType::F32 | DType::F64 if !strings => Ok(vec![DType::F32]),
        dtype => Err(Refusal::invalid(format!("its categories are not {dtype}"))),
    }
}

fn kernel<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (categories, count) = Categories::new(spec)?;
    let zeros = spec.flag("zeros", true)?;
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let shape = [view.shape(), &[count]].concat();
        let mut out = vec![0.0; elements(&shape, limit)?];
        for (at, (column, row)) in
            categories.columns(view)?.into_iter().zip(out.chunks_exact_mut(count)).enumerate()
        {
            match column {
                Some(column) => row[column] = 1.0,
                None if zeros => {}
                None => return Err(format!("element {at} is of no category that it knows")),
            }
        }
        Ok(Tensor::f32(shape, out))
    }))
}
