//! A matrix of weights cut into panels of columns, for rows that come one by one.
//!
//! The sums of a panel stay in registers while its rows stream by, so each weight is read once and nothing is
//! written but the result.

use super::float::Float;

/// Columns of a panel.
const WIDTH: usize = 32;

/// Weights and bias, packed.
pub(super) struct Panels<T = f32> {
    columns: usize,
    bias: Vec<[T; WIDTH]>,
    /// For each panel its rows.
    weights: Vec<Vec<[T; WIDTH]>>,
}

impl<T: Float> Panels<T> {
    /// Packs row-major weights. The last panel is filled up with zeros.
    pub(super) fn new(weights: &[T], bias: &[T], columns: usize) -> Panels<T> {
        let pack = |row: &[T], panel: usize| {
            let mut packed = [T::zero(); WIDTH];
            let from = &row[panel * WIDTH..columns.min((panel + 1) * WIDTH)];
            packed[..from.len()].copy_from_slice(from);
            packed
        };
        let panels = columns.div_ceil(WIDTH);
        Panels {
            columns,
            bias: (0..panels).map(|panel| pack(bias, panel)).collect(),
            weights: (0..panels)
                .map(|panel| weights.chunks_exact(columns).map(|row| pack(row, panel)).collect())
                .collect(),
        }
    }

    /// `out = row * weights + bias`.
    pub(super) fn multiply(&self, row: &[T], out: &mut [T]) {
        debug_assert_eq!(out.len(), self.columns);
        for ((weights, bias), out) in self.weights.iter().zip(&self.bias).zip(out.chunks_mut(WIDTH)) {
            let mut sums = *bias;
            for (&value, weights) in row.iter().zip(weights) {
                for (sum, &weight) in sums.iter_mut().zip(weights) {
                    *sum = *sum + value * weight;
                }
            }
            out.copy_from_slice(&sums[..out.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_beyond_a_panel_are_multiplied_too() {
        let columns = WIDTH + 3;
        let weights: Vec<f32> = (0..2 * columns).map(|index| index as f32).collect();
        let bias = vec![1.0; columns];
        let mut out = vec![0.0; columns];
        Panels::new(&weights, &bias, columns).multiply(&[1.0, 10.0], &mut out);
        let expected: Vec<f32> =
            (0..columns).map(|column| 1.0 + column as f32 + 10.0 * (columns + column) as f32).collect();
        assert_eq!(out, expected);
    }
}
