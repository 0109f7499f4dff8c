//! A matrix of weights that never change, cut into panels of columns when it is loaded.
//!
//! The sums of a panel stay in registers while its weights stream by, so each weight is read once for several rows and
//! nothing is written but the result: the inner kernel of Goto and van de Geijn, "Anatomy of high-performance matrix
//! multiplication" (ACM TOMS 34, 2008), without the packing that comes first there. Registers are as wide as the
//! processor has them.

use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd, bytemuck};

use super::float::Float;

/// Registers that the sums of a row take in a panel.
const REGISTERS: usize = 2;
/// Rows that share what is read of a panel.
const ROWS: usize = 4;
/// For a row alone: sums that grow side by side, so that none waits for the one before it.
const CHAINS: usize = 4;
/// Rows that pass through a panel before the next, while it is in the nearest cache.
const TILE: usize = 16 * ROWS;

/// A float of which registers hold several.
pub(super) trait Packed: Float + bytemuck::Pod {
    /// A register of them.
    type Register<S: Simd>: Copy + bytemuck::Pod;

    fn registers<S: Simd>(values: &[Self]) -> &[Self::Register<S>];
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Register<S>;
    fn sum<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    /// `a * b + c`, rounded once where the processor can.
    fn fused<S: Simd>(
        simd: S,
        a: Self::Register<S>,
        b: Self::Register<S>,
        c: Self::Register<S>,
    ) -> Self::Register<S>;
}

macro_rules! packed {
    ($float:ty, $register:ident, $registers:ident, $splat:ident, $add:ident, $mul_add:ident) => {
        impl Packed for $float {
            type Register<S: Simd> = S::$register;

            #[inline(always)]
            fn registers<S: Simd>(values: &[Self]) -> &[S::$register] {
                S::$registers(values).0
            }
            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$register {
                simd.$splat(value)
            }
            #[inline(always)]
            fn sum<S: Simd>(simd: S, a: S::$register, b: S::$register) -> S::$register {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn fused<S: Simd>(simd: S, a: S::$register, b: S::$register, c: S::$register) -> S::$register {
                simd.$mul_add(a, b, c)
            }
        }
    };
}

packed!(f32, f32s, as_simd_f32s, splat_f32s, add_f32s, mul_add_e_f32s);
packed!(f64, f64s, as_simd_f64s, splat_f64s, add_f64s, mul_add_e_f64s);

/// Weights and bias, packed.
pub(super) struct Panels<T = f32> {
    arch: Arch,
    inner: usize,
    columns: usize,
    /// Columns of a panel.
    width: usize,
    /// For each panel, filled up with zeros.
    bias: Vec<T>,
    /// For each panel its rows, filled up with zeros.
    weights: Vec<T>,
}

impl<T: Packed> Panels<T> {
    /// Packs row-major weights `[inner, columns]`.
    pub(super) fn new(weights: &[T], bias: &[T], columns: usize) -> Panels<T> {
        let arch = Arch::new();
        let width = arch.dispatch(Width::<T>(PhantomData));
        let inner = weights.len().checked_div(columns).unwrap_or(0);
        let mut packed = vec![T::zero(); columns.div_ceil(width) * inner * width];
        for (index, row) in weights.chunks_exact(columns.max(1)).enumerate() {
            for (panel, from) in row.chunks(width).enumerate() {
                packed[(panel * inner + index) * width..][..from.len()].copy_from_slice(from);
            }
        }
        let mut bias = bias.to_vec();
        bias.resize(columns.next_multiple_of(width), T::zero());
        Panels { arch, inner, columns, width, bias, weights: packed }
    }

    /// `out = rows * weights + bias`, for as many rows as there are.
    pub(super) fn multiply(&self, rows: &[T], out: &mut [T]) {
        debug_assert_eq!(rows.len() * self.columns, out.len() * self.inner);
        self.arch.dispatch(Multiply { panels: self, rows, out });
    }
}

/// How many columns fit into the registers of a panel.
struct Width<T>(PhantomData<T>);

impl<T: Packed> WithSimd for Width<T> {
    type Output = usize;

    fn with_simd<S: Simd>(self, _: S) -> usize {
        REGISTERS * (size_of::<T::Register<S>>() / size_of::<T>())
    }
}

struct Multiply<'a, T> {
    panels: &'a Panels<T>,
    rows: &'a [T],
    out: &'a mut [T],
}

impl<T: Packed> WithSimd for Multiply<'_, T> {
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
                let panel = Panel::<S, T>::new(self.panels, panel);
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
struct Panel<'a, S: Simd, T: Packed> {
    weights: &'a [T::Register<S>],
    bias: [T::Register<S>; REGISTERS],
    /// Where its columns are in a row of the result.
    first: usize,
    count: usize,
}

impl<'a, S: Simd, T: Packed> Panel<'a, S, T> {
    #[inline(always)]
    fn new(panels: &'a Panels<T>, number: usize) -> Self {
        let Panels { inner, columns, width, .. } = *panels;
        let weights = T::registers::<S>(&panels.weights[number * inner * width..][..inner * width]);
        let bias = T::registers::<S>(&panels.bias[number * width..][..width]);
        let first = number * width;
        Panel { weights, bias: [bias[0], bias[1]], first, count: width.min(columns - first) }
    }

    /// So many rows that their sums fill the registers.
    #[inline(always)]
    fn several(&self, simd: S, rows: &[T], out: &mut [T], columns: usize) {
        let inner = rows.len() / ROWS;
        let rows: [&[T]; ROWS] = std::array::from_fn(|row| &rows[row * inner..(row + 1) * inner]);
        let (weights, _) = self.weights.as_chunks::<REGISTERS>();
        let mut sums = [self.bias; ROWS];
        for (index, weights) in weights.iter().enumerate().take(inner) {
            for (row, sums) in rows.iter().zip(&mut sums) {
                let value = T::splat(simd, row[index]);
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum = T::fused(simd, value, *weight, *sum);
                }
            }
        }
        for (sums, out) in sums.iter().zip(out.chunks_exact_mut(columns)) {
            self.store(sums, out);
        }
    }

    #[inline(always)]
    fn alone(&self, simd: S, row: &[T], out: &mut [T]) {
        let (weights, _) = self.weights.as_chunks::<REGISTERS>();
        let mut chains = [[T::splat(simd, T::zero()); REGISTERS]; CHAINS];
        chains[0] = self.bias;
        let add =
            |sums: &mut [T::Register<S>; REGISTERS], value: T, weights: &[T::Register<S>; REGISTERS]| {
                let value = T::splat(simd, value);
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum = T::fused(simd, value, *weight, *sum);
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
                *sum = T::sum(simd, *sum, other);
            }
        }
        self.store(&sums, out);
    }

    #[inline(always)]
    fn store(&self, sums: &[T::Register<S>; REGISTERS], out: &mut [T]) {
        let sums: &[T] = bytemuck::cast_slice(sums);
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
