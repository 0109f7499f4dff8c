//! Rows multiplied by weights that stay the same for a whole sequence.

use std::sync::Arc;

use burn_backend::Backend;

use super::super::{
    super::{
        Tensor,
        plan::{Args, Constant, Reason, download},
    },
    panel::{Packed, Panels},
};

/// Weights and a bias, for few rows at a time and for many.
pub(super) struct Product<T, B: Backend> {
    inner: usize,
    columns: usize,
    bias: Vec<T>,
    panels: Panels<T>,
    held: Constant<B>,
}

impl<T: Packed, B: Backend> Product<T, B> {
    /// Of weights that hold a row for each column of the product.
    pub(super) fn new(weights: &[T], bias: Vec<T>, inner: usize) -> Self {
        let columns = bias.len();
        let mut turned = Vec::with_capacity(weights.len());
        for row in 0..inner {
            turned.extend(weights.iter().skip(row).step_by(inner));
        }
        let panels = Panels::new(&turned, &bias, columns);
        let tensor = Tensor { shape: vec![inner, columns], data: T::data(turned) };
        Product { inner, columns, bias, panels, held: Constant::new(Arc::new(tensor)) }
    }

    /// The products of rows, on the backend where they have more than `packed` elements.
    pub(super) fn of(
        &self,
        args: &Args<'_, '_, B>,
        rows: &[T],
        count: usize,
        packed: usize,
    ) -> Result<Vec<T>, Reason> {
        let mut product = vec![T::zero(); count * self.columns];
        if product.is_empty() {
            return Ok(product);
        }
        if product.len() <= packed || self.inner == 0 {
            self.panels.multiply(&rows[..count * self.inner], &mut product);
            return Ok(product);
        }
        let rows = args.upload(Tensor { shape: vec![count, self.inner], data: T::data(rows.to_vec()) })?;
        let mut product = T::owned(download::<B>(B::float_matmul(rows, args.held(&self.held)?))?.data)?;
        for row in product.chunks_exact_mut(self.columns) {
            row.iter_mut().zip(&self.bias).for_each(|(value, &bias)| *value = *value + bias);
        }
        Ok(product)
    }
}
