//! Rows of several heads: packed side by side in three dimensions, or apart in four.

use super::super::{
    super::{Tensor, plan::Reason},
    float::Float,
};

/// Rows `[batch, heads, length, size]`.
#[derive(Clone, Debug)]
pub(super) struct Heads<T> {
    pub(super) batch: usize,
    pub(super) heads: usize,
    pub(super) length: usize,
    pub(super) size: usize,
    pub(super) data: Vec<T>,
}

impl<T: Float> Heads<T> {
    /// Of a tensor `[batch, heads, length, size]`, or `[batch, length, heads * size]` if their number is known.
    pub(super) fn new(shape: &[usize], data: &[T], heads: Option<usize>) -> Result<Self, Reason> {
        match (shape, heads) {
            (&[batch, heads, length, size], _) => {
                Ok(Heads { batch, heads, length, size, data: data.to_vec() })
            }
            (&[batch, length, width], Some(heads)) if heads > 0 && width.is_multiple_of(heads) => {
                let size = width / heads;
                let data = swapped(data, [batch, length, heads, size]);
                Ok(Heads { batch, heads, length, size, data })
            }
            _ => Err(format!("a tensor of shape {shape:?} has no {heads:?} heads")),
        }
    }

    pub(super) fn shape(&self) -> [usize; 4] {
        [self.batch, self.heads, self.length, self.size]
    }

    pub(super) fn row(&self, batch: usize, head: usize, step: usize) -> &[T] {
        &self.data[((batch * self.heads + head) * self.length + step) * self.size..][..self.size]
    }

    /// The tensor with the heads apart, or packed.
    pub(super) fn tensor(self, packed: bool) -> Tensor {
        let [batch, heads, length, size] = self.shape();
        if !packed {
            return Tensor { shape: vec![batch, heads, length, size], data: T::data(self.data) };
        }
        let data = swapped(&self.data, [batch, heads, length, size]);
        Tensor { shape: vec![batch, length, heads * size], data: T::data(data) }
    }

    /// Each head's rows followed by those of `other`.
    pub(super) fn followed_by(self, other: &Heads<T>) -> Result<Self, Reason> {
        let [batch, heads, length, size] = self.shape();
        if [other.batch, other.heads, other.size] != [batch, heads, size] {
            return Err(format!(
                "rows of shape {:?} do not follow those of {:?}",
                other.shape(),
                self.shape()
            ));
        }
        let mut data = Vec::with_capacity(self.data.len() + other.data.len());
        for head in 0..batch * heads {
            data.extend_from_slice(&self.data[head * length * size..][..length * size]);
            data.extend_from_slice(&other.data[head * other.length * size..][..other.length * size]);
        }
        Ok(Heads { length: length + other.length, data, ..self })
    }
}

/// Swaps the middle two of four dimensions.
fn swapped<T: Copy>(data: &[T], [outer, rows, columns, size]: [usize; 4]) -> Vec<T> {
    let mut swapped = Vec::with_capacity(data.len());
    for block in 0..outer {
        for column in 0..columns {
            for row in 0..rows {
                swapped.extend_from_slice(&data[((block * rows + row) * columns + column) * size..][..size]);
            }
        }
    }
    swapped
}
