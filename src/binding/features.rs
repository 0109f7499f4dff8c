//! A batch of rows as a model takes it.

use super::Compiled;
use crate::catalog::NumberKind;

/// The inputs of a model for a batch of rows. Kept between batches: clearing it frees nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// How many rows have been gathered.
    pub rows: usize,
    /// One for each input, in the model's order.
    pub inputs: Vec<Matrix>,
}

/// One input for a batch of rows: `rows x columns` elements, row by row.
#[derive(Clone, Debug, PartialEq)]
pub enum Matrix {
    /// 32-bit floats.
    F32 {
        /// Elements a row.
        columns: usize,
        /// Row by row.
        data: Vec<f32>,
    },
    /// 64-bit floats.
    F64 {
        /// Elements a row.
        columns: usize,
        /// Row by row.
        data: Vec<f64>,
    },
    /// 64-bit integers.
    I64 {
        /// Elements a row.
        columns: usize,
        /// Row by row.
        data: Vec<i64>,
    },
    /// 32-bit integers.
    I32 {
        /// Elements a row.
        columns: usize,
        /// Row by row.
        data: Vec<i32>,
    },
    /// Bools.
    Bool {
        /// Elements a row.
        columns: usize,
        /// Row by row.
        data: Vec<bool>,
    },
}

impl Features {
    /// An empty batch for this binding's model.
    pub fn new(binding: &Compiled) -> Self {
        let inputs = binding.inputs.iter().map(|input| Matrix::new(input.kind, input.width)).collect();
        Features { rows: 0, inputs }
    }

    /// Empties the batch and keeps its room.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Keeps the first `rows` rows.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.rows = rows;
        self.inputs.iter_mut().for_each(|input| input.truncate(rows));
    }
}

impl Matrix {
    /// An empty matrix of this many columns.
    pub fn new(kind: NumberKind, columns: usize) -> Self {
        match kind {
            NumberKind::F32 => Matrix::F32 { columns, data: Vec::new() },
            NumberKind::F64 => Matrix::F64 { columns, data: Vec::new() },
            NumberKind::I64 => Matrix::I64 { columns, data: Vec::new() },
            NumberKind::I32 => Matrix::I32 { columns, data: Vec::new() },
            NumberKind::Bool => Matrix::Bool { columns, data: Vec::new() },
        }
    }

    /// Elements a row.
    pub fn columns(&self) -> usize {
        match self {
            Matrix::F32 { columns, .. }
            | Matrix::F64 { columns, .. }
            | Matrix::I64 { columns, .. }
            | Matrix::I32 { columns, .. }
            | Matrix::Bool { columns, .. } => *columns,
        }
    }

    fn truncate(&mut self, rows: usize) {
        match self {
            Matrix::F32 { columns, data } => data.truncate(rows * *columns),
            Matrix::F64 { columns, data } => data.truncate(rows * *columns),
            Matrix::I64 { columns, data } => data.truncate(rows * *columns),
            Matrix::I32 { columns, data } => data.truncate(rows * *columns),
            Matrix::Bool { columns, data } => data.truncate(rows * *columns),
        }
    }
}
