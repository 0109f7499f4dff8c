//! Batches: rows that wait for the same model run through it together.

use std::{ops::Range, sync::Arc};

use smallvec::{SmallVec, smallvec};

use super::{Loaded, Models};
use crate::{
    binding::{Compiled, Features, Matrix, OutputPlan, Score, ScoreValue, Scores},
    model::{Data, Model, Port, Tensor, TensorView},
    row::{Kind, RowRef, Schema},
    types::{Error, Key, Result},
};

/// The rows of one tick that wait for scores, by binding. `T` is what the caller needs to know whose score it is.
#[derive(Debug)]
pub struct Batcher<T> {
    open: Vec<Batch<T>>,
}

impl<T> Default for Batcher<T> {
    fn default() -> Self {
        Batcher { open: Vec::new() }
    }
}

impl<T> Batcher<T> {
    /// Adds a row; refused if its features cannot be computed or the model is not here.
    pub fn add(
        &mut self,
        models: &Models,
        binding: &Arc<Compiled>,
        schema: &Schema,
        key: &Key,
        row: &[u8],
        tag: T,
    ) -> Result<()> {
        let at = match self.open.iter().position(|batch| Arc::ptr_eq(&batch.binding, binding)) {
            Some(at) => at,
            None => {
                let model = models.require(&binding.model.digest)?;
                self.open.push(Batch::new(binding.clone(), model));
                self.open.len() - 1
            }
        };
        let Some(batch) = self.open.get_mut(at) else { return Ok(()) };
        let row = RowRef::trusted(schema, row)?;
        batch.binding.gather(&row, key, &mut batch.features)?;
        batch.tags.push(tag);
        Ok(())
    }

    /// Takes the batches that were gathered.
    pub fn take(&mut self) -> impl Iterator<Item = Batch<T>> + use<T> {
        std::mem::take(&mut self.open).into_iter().filter(|batch| !batch.tags.is_empty())
    }
}

/// Rows that wait for the same model under the same binding.
#[derive(Debug)]
pub struct Batch<T> {
    binding: Arc<Compiled>,
    model: Arc<Loaded>,
    tags: Vec<T>,
    features: Features,
}

impl<T> Batch<T> {
    fn new(binding: Arc<Compiled>, model: Arc<Loaded>) -> Self {
        let features = Features::new(&binding);
        Batch { binding, model, tags: Vec::new(), features }
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.tags.len()
    }

    /// The binding they are scored under.
    pub fn binding(&self) -> &Arc<Compiled> {
        &self.binding
    }

    /// The model they run through.
    pub fn model(&self) -> &Arc<Loaded> {
        &self.model
    }

    /// Runs the model and says for each row what its scores are.
    ///
    /// If the batch fails as a whole, its rows run one by one: a row that the model cannot take must not cost
    /// its neighbours their scores.
    pub fn run(self) -> Vec<(T, Result<Scores>)> {
        match run(&self.model, &self.binding, &self.features, 0..self.tags.len()) {
            Ok(scores) => self.tags.into_iter().zip(scores.into_iter().map(Ok)).collect(),
            Err(error) if self.tags.len() == 1 => {
                self.tags.into_iter().map(|tag| (tag, Err(error.clone()))).collect()
            }
            Err(_) => {
                let Batch { binding, model, tags, features } = self;
                let one = |row| {
                    let mut scores = run(&model, &binding, &features, row..row + 1)?;
                    scores.pop().ok_or_else(|| Error::internal("the model gave no row"))
                };
                tags.into_iter().enumerate().map(|(row, tag)| (tag, one(row))).collect()
            }
        }
    }
}

/// Scores of the rows `rows` of `features`, in order.
fn run(loaded: &Loaded, binding: &Compiled, features: &Features, rows: Range<usize>) -> Result<Vec<Scores>> {
    let place =
        || format!("model {}@{} of binding {}", binding.model.name, binding.model.version, binding.name);
    let views = Views::new(&loaded.model, features, rows.clone());
    let outputs = loaded.model.run(&views.tensors()).map_err(|error| Error::from(error).within(place()))?;
    let score = |row: usize, plan: &OutputPlan| {
        let value =
            outputs.get(plan.output).and_then(|tensor| element(tensor, row, rows.len(), plan.element));
        let value = value.ok_or_else(|| Error::internal("an output lacks its element").within(place()))?;
        Ok(Score { column: plan.column, value: cast(value, plan.kind) })
    };
    (0..rows.len()).map(|row| binding.outputs.iter().map(|plan| score(row, plan)).collect()).collect()
}

/// Some rows of the features, as the model takes them.
struct Views<'a> {
    features: &'a Features,
    rows: Range<usize>,
    /// Of each input: `[rows]` where the graph declares one dimension, else `[rows, columns]`.
    shapes: SmallVec<[SmallVec<[usize; 2]>; 2]>,
}

impl<'a> Views<'a> {
    fn new(model: &Model, features: &'a Features, rows: Range<usize>) -> Self {
        let shape = |(matrix, port): (&Matrix, &Port)| match port.shape.len() {
            1 => smallvec![rows.len()],
            _ => smallvec![rows.len(), matrix.columns()],
        };
        let shapes = features.inputs.iter().zip(model.inputs()).map(shape).collect();
        Views { features, rows, shapes }
    }

    fn tensors(&self) -> SmallVec<[TensorView<'_>; 2]> {
        self.features
            .inputs
            .iter()
            .zip(&self.shapes)
            .map(|(matrix, shape)| self.tensor(matrix, shape))
            .collect()
    }

    fn tensor<'t>(&self, matrix: &'t Matrix, shape: &'t [usize]) -> TensorView<'t> {
        let cut = |columns: usize| self.rows.start * columns..self.rows.end * columns;
        match matrix {
            Matrix::F32 { columns, data } => TensorView::F32 { shape, data: &data[cut(*columns)] },
            Matrix::F64 { columns, data } => TensorView::F64 { shape, data: &data[cut(*columns)] },
            Matrix::I64 { columns, data } => TensorView::I64 { shape, data: &data[cut(*columns)] },
            Matrix::I32 { columns, data } => TensorView::I32 { shape, data: &data[cut(*columns)] },
            Matrix::Bool { columns, data } => TensorView::Bool { shape, data: &data[cut(*columns)] },
        }
    }
}

/// Element `element` of row `row` of a tensor whose first dimension is `rows`.
fn element(tensor: &Tensor, row: usize, rows: usize, element: usize) -> Option<ScoreValue> {
    let width = tensor.data.len().checked_div(rows)?;
    if element >= width {
        return None;
    }
    let at = row * width + element;
    Some(match &tensor.data {
        Data::F32(data) => ScoreValue::F32(*data.get(at)?),
        Data::F64(data) => ScoreValue::F64(*data.get(at)?),
        Data::I64(data) => ScoreValue::I64(*data.get(at)?),
        Data::F16(data) => ScoreValue::F32(data.get(at)?.to_f32()),
        Data::I32(data) => ScoreValue::I32(*data.get(at)?),
        Data::U32(data) => ScoreValue::I64(i64::from(*data.get(at)?)),
        Data::I16(data) => ScoreValue::I32(i32::from(*data.get(at)?)),
        Data::U16(data) => ScoreValue::I32(i32::from(*data.get(at)?)),
        Data::I8(data) => ScoreValue::I32(i32::from(*data.get(at)?)),
        Data::U8(data) => ScoreValue::I32(i32::from(*data.get(at)?)),
        Data::Bool(data) => ScoreValue::Bool(*data.get(at)?),
        Data::Str(data) => ScoreValue::Str(data.get(at)?.as_str().into()),
        // Refused when the model's signature was read.
        Data::U64(_) => return None,
    })
}

/// The value as its column holds it. The binding was only compiled if the two fit.
fn cast(value: ScoreValue, kind: Kind) -> ScoreValue {
    match (value, kind) {
        (ScoreValue::F32(value), Kind::F64) => ScoreValue::F64(value.into()),
        (ScoreValue::F64(value), Kind::F32) => ScoreValue::F32(value as f32),
        (ScoreValue::I32(value), Kind::I64) => ScoreValue::I64(value.into()),
        (ScoreValue::I32(value), Kind::F64) => ScoreValue::F64(value.into()),
        (value, _) => value,
    }
}
