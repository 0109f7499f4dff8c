//! A matrix of weights that never change, cut into panels of columns when it is loaded.
//!
//! The sums of a panel stay in registers while its weights stream by, so each weight is read once for several rows and
//! nothing is written but the result: the inner kernel of Goto and van de Geijn, "Anatomy of high-performance matrix
//! multiplication" (ACM TOMS 34, 2008), without the packing that comes first there. Registers are as wide as the
//! processor has them.

use pulp::{Arch, Simd, WithSimd, bytemuck};

/// Registers that the sums of a row take in a panel.
const REGISTERS: usize = 2;
/// Rows that share what is read of a panel.
const ROWS: usize = 4;
/// For a row alone: sums that grow side by side, so that none waits for the one before it.
const CHAINS: usize = 4;
/// Rows that pass through a panel before the next, while it is in the nearest cache.
const TILE: usize = 16 * ROWS;

/// Weights and bias, packed.
pub(super) struct Panels {
    arch: Arch,
    inner: usize,
    columns: usize,
    /// Columns of a panel.
    width: usize,
    /// For each panel, filled up with zeros.
    bias: Vec<f32>,
    /// For each panel its rows, filled up with zeros.
    weights: Vec<f32>,
}

impl Panels {
    /// Packs row-major weights `[inner, columns]`.
    pub(super) fn new(weights: &[f32], bias: &[f32], columns: usize) -> Panels {
        let arch = Arch::new();
        let width = arch.dispatch(Width);
        let inner = weights.len().checked_div(columns).unwrap_or(0);
        let mut packed = vec![0.0; columns.div_ceil(width) * inner * width];
        for (index, row) in weights.chunks_exact(columns.max(1)).enumerate() {
            for (panel, from) in row.chunks(width).enumerate() {
                packed[(panel * inner + index) * width..][..from.len()].copy_from_slice(from);
            }
        }
        let mut bias = bias.to_vec();
        bias.resize(columns.next_multiple_of(width), 0.0);
        Panels { arch, inner, columns, width, bias, weights: packed }
    }

    /// `out = rows * weights + bias`, for as many rows as there are.
    pub(super) fn multiply(&self, rows: &[f32], out: &mut [f32]) {
        debug_assert_eq!(rows.len() * self.columns, out.len() * self.inner);
        self.arch.dispatch(Multiply { panels: self, rows, out });
    }
}

/// How many columns fit into the registers of a panel.
struct Width;

impl WithSimd for Width {
    type Output = usize;

    fn with_simd<S: Simd>(self, _: S) -> usize {
        REGISTERS * S::F32_LANES
    }
}

struct Multiply<'a> {
    panels: &'a Panels,
    rows: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Panels { inner, columns, width, .. } = *self.panels;
        if columns == 0 {
            return;
        }
        let outs = self.out.chunks_mut(TILE * columns).enumerate();
        for (tile, out) in outs {
            let rows = &self.rows[tile * TILE * inner..];
            for panel in 0..columns.div_ceil(width) {
                let panel = Panel::<S>::new(self.panels, panel);
                let mut outs = out.chunks_exact_mut(ROWS * columns);
                let mut row = 0;
                for out in &mut outs {
                    panel.several(simd, &rows[row * inner..(row + ROWS) * inner], out, columns);
                    row += ROWS;
                }
                for out in outs.into_remainder().chunks_exact_mut(columns) {
                    panel.alone(simd, &rows[row * inner..(row + 1) * inner], out);
                    row += 1;
                }
            }
        }
    }
}

/// One panel as registers.
struct Panel<'a, S: Simd> {
    weights: &'a [S::f32s],
    bias: [S::f32s; REGISTERS],
    /// Where its columns are in a row of the result.
    first: usize,
    count: usize,
}

impl<'a, S: Simd> Panel<'a, S> {
    #[inline(always)]
    fn new(panels: &'a Panels, number: usize) -> Self {
        let Panels { inner, columns, width, .. } = *panels;
        let (weights, _) = S::as_simd_f32s(&panels.weights[number * inner * width..][..inner * width]);
        let (bias, _) = S::as_simd_f32s(&panels.bias[number * width..][..width]);
        let first = number * width;
        Panel { weights, bias: [bias[0], bias[1]], first, count: width.min(columns - first) }
    }

    /// So many rows that their sums fill the registers.
    #[inline(always)]
    fn several(&self, simd: S, rows: &[f32], out: &mut [f32], columns: usize) {
        let inner = rows.len() / ROWS;
        let rows: [&[f32]; ROWS] = std::array::from_fn(|row| &rows[row * inner..(row + 1) * inner]);
        let (weights, _) = self.weights.as_chunks::<REGISTERS>();
        let mut sums = [self.bias; ROWS];
        for (index, weights) in weights.iter().enumerate().take(inner) {
            for (row, sums) in rows.iter().zip(&mut sums) {
                let value = simd.splat_f32s(row[index]);
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum = simd.mul_add_e_f32s(value, *weight, *sum);
                }
            }
        }
        for (sums, out) in sums.iter().zip(out.chunks_exact_mut(columns)) {
            self.store(sums, out);
        }
    }

    #[inline(always)]
    fn alone(&self, simd: S, row: &[f32], out: &mut [f32]) {
        let (weights, _) = self.weights.as_chunks::<REGISTERS>();
        let mut chains = [[simd.splat_f32s(0.0); REGISTERS]; CHAINS];
        chains[0] = self.bias;
        let add = |sums: &mut [S::f32s; REGISTERS], value: f32, weights: &[S::f32s; REGISTERS]| {
            let value = simd.splat_f32s(value);
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = simd.mul_add_e_f32s(value, *weight, *sum);
            }
        };
        let (values, last_values) = row.as_chunks::<CHAINS>();
        let (groups, last_weights) = weights.as_chunks::<CHAINS>();
        for (values, weights) in values.iter().zip(groups) {
            for ((sums, value), weights) in chains.iter_mut().zip(values).zip(weights) {
                add(sums, *value, weights);
            }
        }
        for (value, weights) in last_values.iter().zip(last_weights) {
            add(&mut chains[0], *value, weights);
        }
        let [mut sums, rest @ ..] = chains;
        for chain in rest {
            for (sum, other) in sums.iter_mut().zip(chain) {
                *sum = simd.add_f32s(*sum, other);
            }
        }
        self.store(&sums, out);
    }

    #[inline(always)]
    fn store(&self, sums: &[S::f32s; REGISTERS], out: &mut [f32]) {
        let sums: &[f32] = bytemuck::cast_slice(sums);
        out[self.first..][..self.count].copy_from_slice(&sums[..self.count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small whole numbers: every order of summation gives the same.
    fn whole(count: usize, most: usize) -> Vec<f32> {
        (0..count).map(|index| (index * 7 % most) as f32 - 3.0).collect()
    }

    #[test]
    fn any_number_of_rows_and_columns_is_multiplied() {
        for (rows, inner, columns) in [(1, 2, 35), (3, 5, 1), (4, 9, 32), (TILE + 6, 30, 67), (2, 0, 3)] {
            let (x, weights, bias) = (whole(rows * inner, 11), whole(inner * columns, 13), whole(columns, 5));
            let mut out = vec![f32::NAN; rows * columns];
            Panels::new(&weights, &bias, columns).multiply(&x, &mut out);
            let product = |row: usize, column: usize| {
                let terms = (0..inner).map(|at| x[row * inner + at] * weights[at * columns + column]);
                bias[column] + terms.sum::<f32>()
            };
            let each = |index| product(index / columns, index % columns);
            if inner > 0 {
                assert_eq!(
                    out,
                    (0..rows * columns).map(each).collect::<Vec<_>>(),
                    "{rows} x {inner} x {columns}"
                );
            }
        }
    }
}
