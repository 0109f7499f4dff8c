//! Operators on matrices as such: triangles, diagonals, determinants.

use burn_backend::Backend;

use super::{
    super::{
        DType, Tensor, onnx,
        plan::Kernel,
        tensor::{Element, each_data},
    },
    Operator, Refusal, Spec,
    cast::{convert, of_f64, to_f64},
    pick::ints,
    select::first_type,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "Trilu" => Operator { types: first_type, kernel: triangle },
        "EyeLike" => Operator { types: eye_types, kernel: eye },
        "Det" => Operator { types: det_types, kernel: det },
        _ => return None,
    })
}

/// How far right of the main diagonal a place is.
fn offset(row: usize, column: usize) -> i64 {
    column as i64 - row as i64
}

fn triangle<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let upper = spec.flag("upper", true)?;
    Ok(Kernel::host(move |args| {
        let diagonal = match args.has(1).then(|| args.view(1).and_then(ints)).transpose()?.as_deref() {
            None => 0,
            Some([diagonal]) => *diagonal,
            Some(_) => return Err("its diagonal is not one number".to_owned()),
        };
        let mut tensor = args.take(0)?;
        let [.., rows, columns] = tensor.shape[..] else {
            return Err(format!("shape {:?} is not that of matrices", tensor.shape));
        };
        let cleared = |place: usize| {
            let offset = offset(place / columns % rows, place % columns);
            if upper { offset < diagonal } else { offset > diagonal }
        };
        each_data!(&mut tensor.data, data => {
            for (place, value) in data.iter_mut().enumerate() {
                if cleared(place) {
                    *value = Default::default();
                }
            }
        });
        Ok(tensor)
    }))
}

fn eye_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let own = spec.dtype(0)?;
    let element = i32::try_from(spec.int("dtype", 0)?).unwrap_or(0);
    let dtype = match element {
        0 => own,
        element => onnx::dtype(element)
            .ok_or_else(|| Refusal::unsupported(format!("of {}", onnx::element_name(element))))?,
    };
    if dtype == DType::Str { Err(Refusal::unsupported("of strings")) } else { Ok(vec![dtype]) }
}

fn eye<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    // 16-bit floats may be kept in wider ones.
    let dtype = match spec.output(0) {
        Some(dtype) => dtype,
        None => eye_types(spec)?[0],
    };
    let diagonal = spec.int("k", 0)?;
    Ok(Kernel::anywhere(move |args| {
        let shape = args.shape(0)?;
        let &[rows, columns] = &shape[..] else {
            return Err(format!("shape {shape:?} is not that of a matrix"));
        };
        let one = convert(Tensor::f32([1], vec![1.0]), dtype)?;
        let data = each_data!(&one.data, one => Element::data(marked(&one[0], rows, columns, diagonal)));
        Ok(Tensor { shape: shape.to_vec(), data }.into())
    }))
}

/// A matrix with `one` along a diagonal.
fn marked<T: Clone + Default>(one: &T, rows: usize, columns: usize, diagonal: i64) -> Vec<T> {
    let mut data = vec![T::default(); rows * columns];
    for row in 0..rows {
        let column = usize::try_from(diagonal.saturating_add(row as i64));
        if let Some(column) = column.ok().filter(|&column| column < columns) {
            data[row * columns + column] = one.clone();
        }
    }
    data
}

fn det_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        dtype if dtype.is_float() => Ok(vec![dtype]),
        dtype => Err(Refusal::invalid(format!("it does not compute with {dtype}"))),
    }
}

fn det<B: Backend>(_: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    Ok(Kernel::host(|args| {
        let view = args.view(0)?;
        let (outer, size) = match view.shape() {
            [outer @ .., rows, columns] if rows == columns => (outer, *rows),
            shape => return Err(format!("shape {shape:?} is not that of square matrices")),
        };
        let mut data = to_f64(view)?;
        let count: usize = outer.iter().product();
        let determinants = (0..count)
            .map(|number| determinant(&mut data[number * size * size..(number + 1) * size * size], size))
            .collect();
        Ok(Tensor { shape: outer.to_vec(), data: of_f64(determinants, view.dtype())? })
    }))
}

/// By elimination, each time with the largest pivot.
fn determinant(matrix: &mut [f64], size: usize) -> f64 {
    let mut product = 1.0;
    for column in 0..size {
        let magnitude = |row: usize| matrix[row * size + column].abs();
        let pivot = (column..size).max_by(|&a, &b| magnitude(a).total_cmp(&magnitude(b))).unwrap_or(column);
        if pivot != column {
            (0..size).for_each(|at| matrix.swap(pivot * size + at, column * size + at));
            product = -product;
        }
        let head = matrix[column * size + column];
        product *= head;
        if head == 0.0 {
            break;
        }
        for row in column + 1..size {
            let factor = matrix[row * size + column] / head;
            for at in column..size {
                matrix[row * size + at] -= factor * matrix[column * size + at];
            }
        }
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_determinant_changes_its_sign_with_its_rows() {
        assert_eq!(determinant(&mut [0.0, 2.0, 3.0, 0.0], 2), -6.0);
        assert_eq!(determinant(&mut [2.0, 4.0, 1.0, 2.0], 2), 0.0);
        assert_eq!(determinant(&mut [], 0), 1.0);
        assert!(determinant(&mut [f64::NAN, 1.0, 1.0, 1.0], 2).is_nan());
    }
}
