//! Rows into features.

use super::{
    Compiled, Features, Matrix,
    cast::{Element, is_nan},
    compiled::{FeaturePlan, InputPlan, Source},
};
use crate::{
    catalog::{Nan, NullPolicy},
    expr::{self, Expr},
    row::{RowRef, Scalar},
    types::{Error, Key, Result},
};

impl Compiled {
    /// Appends one row to a batch. A row that is refused leaves the batch as it was.
    ///
    /// `row` is read through the schema that the binding was compiled for, whatever schema it was written under.
    pub fn gather(&self, row: &RowRef<'_>, key: &Key, out: &mut Features) -> Result<()> {
        if row.schema().id() != self.schema {
            return Err(Error::internal(format!(
                "the binding `{}` reads schema {}, not {}",
                self.name,
                self.schema,
                row.schema().id()
            )));
        }
        let gathered = self.gather_inputs(row, key, out);
        match gathered {
            Ok(()) => out.rows += 1,
            Err(_) => out.truncate(out.rows),
        }
        gathered
    }

    fn gather_inputs(&self, row: &RowRef<'_>, key: &Key, out: &mut Features) -> Result<()> {
        for (input, matrix) in self.inputs.iter().zip(&mut out.inputs) {
            let input = Input { binding: self, plan: input, row, key };
            match matrix {
                Matrix::F32 { data, .. } => input.fill(data),
                Matrix::F64 { data, .. } => input.fill(data),
                Matrix::I64 { data, .. } => input.fill(data),
                Matrix::I32 { data, .. } => input.fill(data),
                Matrix::Bool { data, .. } => input.fill(data),
            }?;
        }
        Ok(())
    }
}

/// One row on its way into one input.
struct Input<'a> {
    binding: &'a Compiled,
    plan: &'a InputPlan,
    row: &'a RowRef<'a>,
    key: &'a Key,
}

impl Input<'_> {
    fn fill<E: Element>(&self, data: &mut Vec<E>) -> Result<()> {
        data.reserve(self.plan.width);
        for feature in &self.plan.features {
            match &feature.source {
                Source::Column(column) => data.push(self.column(feature, *column)?),
                Source::Expression(expression) => data.push(self.expression(feature, expression)?),
                Source::Vector { column, len } => self.vector(feature, *column, *len, data)?,
            }
        }
        Ok(())
    }

    #[inline]
    fn column<E: Element>(&self, feature: &FeaturePlan, column: usize) -> Result<E> {
        let Some(value) = E::read(self.row, column) else { return self.null(feature) };
        // A float input shows a NaN itself; for the others the column is asked.
        let nan = value.is_nan() || (E::NAN.is_none() && is_nan(self.row.value(column)));
        if nan && self.binding.nan == Nan::Reject { Err(self.nan(feature)) } else { Ok(value) }
    }

    fn expression<E: Element>(&self, feature: &FeaturePlan, expression: &Expr) -> Result<E> {
        let source = expr::Source::row(*self.row, self.key.payload());
        let value = expression
            .eval(&source)
            .map_err(|error| error.within(format_args!("the feature `{}`", feature.name)))?;
        let value = value.scalar();
        if self.binding.nan == Nan::Reject && is_nan(value) {
            return Err(self.nan(feature));
        }
        E::cast(value).map_or_else(|| self.null(feature), Ok)
    }

    fn vector<E: Element>(
        &self,
        feature: &FeaturePlan,
        column: usize,
        len: usize,
        data: &mut Vec<E>,
    ) -> Result<()> {
        let Scalar::Vector(vector) = self.row.value(column) else {
            let null: E = self.null(feature)?;
            data.extend(std::iter::repeat_n(null, len));
            return Ok(());
        };
        if self.binding.nan == Nan::Reject && vector.iter().any(f32::is_nan) {
            return Err(self.nan(feature));
        }
        data.extend(vector.iter().map(E::from_f32));
        Ok(())
    }

    #[cold]
    fn null<E: Element>(&self, feature: &FeaturePlan) -> Result<E> {
        match (self.plan.null, E::NAN) {
            (NullPolicy::Nan, Some(nan)) => Ok(nan),
            _ => Err(Error::invalid(format!("the feature `{}` is null", feature.name))
                .hint(format!("the model `{}` takes no nulls: write a value, or give the binding `{}` an expression such as `coalesce({}, 0)`", self.binding.model.name, self.binding.name, feature.name))),
        }
    }

    #[cold]
    fn nan(&self, feature: &FeaturePlan) -> Error {
        Error::invalid(format!("the feature `{}` is NaN", feature.name)).hint(format!(
            "the binding `{}` refuses NaN: write a number, or let it say `nan = \"pass\"`",
            self.binding.name
        ))
    }
}
