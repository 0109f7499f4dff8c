//! What a model takes and gives: named, typed tensors.

use std::fmt;

use super::{
    Error,
    tensor::{DType, TensorView},
};

/// One dimension of a declared shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dim {
    /// Always this size.
    Fixed(usize),
    /// Any size; the same wherever the name recurs. The batch is usually such a one.
    Named(String),
    /// Any size.
    Unknown,
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Fixed(size) => write!(f, "{size}"),
            Dim::Named(name) => f.write_str(name),
            Dim::Unknown => f.write_str("?"),
        }
    }
}

/// The names of a classifier's classes, in the order of its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Labels {
    /// Numbered classes.
    Ints(Vec<i64>),
    /// Named classes.
    Strings(Vec<String>),
}

impl Labels {
    /// Number of classes.
    pub fn len(&self) -> usize {
        match self {
            Labels::Ints(labels) => labels.len(),
            Labels::Strings(labels) => labels.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The labels as text.
    pub fn names(&self) -> Vec<String> {
        match self {
            Labels::Ints(labels) => labels.iter().map(i64::to_string).collect(),
            Labels::Strings(labels) => labels.clone(),
        }
    }
}

/// An input or output of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The graph's name for it.
    pub name: String,
    /// Type of its elements.
    pub dtype: DType,
    /// Declared shape. Of outputs it is informative only: exporters often declare it wrong.
    pub shape: Vec<Dim>,
    /// Of an output with one column a class: the classes, in column order.
    pub labels: Option<Labels>,
}

impl Port {
    /// The shape as text, such as `[N, 30]`.
    pub fn shape_text(&self) -> String {
        let dims: Vec<String> = self.shape.iter().map(Dim::to_string).collect();
        format!("[{}]", dims.join(", "))
    }

    /// Type and shape as text.
    pub fn text(&self) -> String {
        format!("{} {}", self.dtype, self.shape_text())
    }
}

/// Checks the tensors of a run against the ports they are for.
pub(super) fn check(ports: &[Port], given: &[TensorView<'_>]) -> Result<(), Error> {
    if let Some(port) = ports.get(given.len()) {
        return Err(mismatch(port, port.text(), "nothing".to_owned()));
    }
    if given.len() > ports.len() {
        let reason = format!("{} tensors for {} inputs", given.len(), ports.len());
        return Err(Error::Input { name: "?".to_owned(), expected: "no more".to_owned(), given: reason });
    }
    for (port, view) in ports.iter().zip(given) {
        let fits = |(dim, size): (&Dim, &usize)| !matches!(dim, Dim::Fixed(fixed) if fixed != size);
        let shape = view.shape();
        let shape_fits = port.shape.is_empty()
            || (shape.len() == port.shape.len() && port.shape.iter().zip(shape).all(fits));
        if view.dtype() != port.dtype || !shape_fits {
            return Err(mismatch(port, port.text(), format!("{} {shape:?}", view.dtype())));
        }
        let count = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size.max(1)));
        if count.is_none() || shape.iter().product::<usize>() != view.len() {
            return Err(mismatch(port, format!("{shape:?} elements"), format!("{} elements", view.len())));
        }
    }
    Ok(())
}

fn mismatch(port: &Port, expected: String, given: String) -> Error {
    Error::Input { name: port.name.clone(), expected, given }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misfit_names_the_input_and_both_shapes() {
        let port = Port {
            name: "X".into(),
            dtype: DType::F32,
            shape: vec![Dim::Named("N".into()), Dim::Fixed(3)],
            labels: None,
        };
        let data = [0.0; 4];
        let view = TensorView::F32 { shape: &[2, 2], data: &data };
        let error = check(std::slice::from_ref(&port), &[view]).unwrap_err();
        assert_eq!(error.to_string(), "input `X`: expected f32 [N, 3], given f32 [2, 2]");
        let view = TensorView::I64 { shape: &[1, 3], data: &[1, 2, 3] };
        let error = check(std::slice::from_ref(&port), &[view]).unwrap_err();
        assert_eq!(error.to_string(), "input `X`: expected f32 [N, 3], given i64 [1, 3]");
        let error = check(std::slice::from_ref(&port), &[]).unwrap_err();
        assert_eq!(error.to_string(), "input `X`: expected f32 [N, 3], given nothing");
        let view = TensorView::F32 { shape: &[1, 3], data: &[1.0, 2.0, 3.0] };
        assert_eq!(check(&[port], &[view]), Ok(()));
    }
}
