//! The proof: a fresh client reads back every acknowledged payment, and the model scores it again, offline.

use super::{
    alerts::{Alerts, THRESHOLD},
    bundle,
    marks::Marks,
};
use crate::{
    catalog::Manifest,
    cli::payments::{COLUMNS, Payment, Simulator},
    client::{Map, Row},
    model::{Data, Format, Model, Options, Tensor},
    row::{RowRef, Scalar, Schema},
    types::{Error, Result},
};

/// Payments read back and scored together.
const BATCH: usize = 1024;
/// A score may differ from its recomputation by the last digits: sums are made in another order.
const TOLERANCE: f32 = 1e-6;

/// What the reading back found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Checked {
    pub(super) read: u64,
    /// Rows that are missing, or not as they were written.
    pub(super) lost: u64,
    /// Rows whose score is not the model's.
    pub(super) wrong_scores: u64,
    /// Rows that should have been alerts.
    pub(super) alerts: u64,
}

/// What became of the alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Delivered {
    pub(super) missed: u64,
    /// Alerts of payments that are none.
    pub(super) false_alarms: u64,
}

/// Reads back every payment of the seed that was acknowledged. `expected` is marked with those that are alerts.
pub(super) async fn read_back(
    map: &Map,
    seed: u64,
    acknowledged: &Marks,
    expected: &Marks,
) -> Result<Checked> {
    let schema = map.description().require_schema()?.clone();
    let scorer = Scorer::load()?;
    let mut checked = Checked::default();
    let total = acknowledged.count();
    let mut payments = Simulator::new(seed).filter(|payment| acknowledged.has(payment.id));
    while checked.read < total {
        let left = usize::try_from(total - checked.read).unwrap_or(BATCH);
        let batch: Vec<Payment> = payments.by_ref().take(BATCH.min(left)).collect();
        let rows = map.get_all_raw(batch.iter().map(|payment| payment.id)).await?;
        let scores = scorer.score(&batch)?;
        for ((payment, row), score) in batch.iter().zip(rows).zip(scores) {
            checked.read += 1;
            let Some(row) = row? else {
                checked.lost += 1;
                continue;
            };
            checked.lost += u64::from(!is_same(&row, payment, &schema)?);
            let stored = stored_score(&row)?;
            let is_right = stored.is_some_and(|stored| (stored - score).abs() <= TOLERANCE);
            checked.wrong_scores += u64::from(!is_right);
            if stored.is_some_and(|stored| f64::from(stored) > THRESHOLD) && expected.mark(payment.id) {
                checked.alerts += 1;
            }
        }
    }
    Ok(checked)
}

/// Compares the alerts that came with those expected.
pub(super) fn delivered(expected: &Marks, alerts: &Alerts, last_id: i64) -> Delivered {
    (1..=last_id).fold(Delivered::default(), |sum, id| {
        let (should, did) = (expected.has(id), alerts.seen.has(id));
        Delivered {
            missed: sum.missed + u64::from(should && !did),
            false_alarms: sum.false_alarms + u64::from(did && !should),
        }
    })
}

/// Whether every column that a client writes is as it was written.
fn is_same(row: &Row, payment: &Payment, schema: &Schema) -> Result<bool> {
    let packed = payment.pack(schema)?;
    let (written, stored) = (RowRef::new(schema, &packed)?, row.columns()?);
    Ok((0..schema.data_columns()).all(|column| written.value(column) == stored.value(column)))
}

fn stored_score(row: &Row) -> Result<Option<f32>> {
    let columns = row.columns()?;
    Ok(columns.schema().column(bundle::SCORE).and_then(|column| columns.f32(column)))
}

/// The model, fed by nothing that the node uses: the manifest's features from the payments themselves.
struct Scorer {
    model: Model,
    features: Vec<fn(&Payment) -> Scalar<'_>>,
    /// The place of the output among the model's, and of the element within it.
    output: (usize, usize),
}

impl Scorer {
    fn load() -> Result<Self> {
        let model = Model::load(bundle::model(), Format::Onnx, &Options::default()).map_err(Error::from)?;
        let manifest = bundle::manifest()?;
        let features = manifest.inputs.iter().flat_map(|input| &input.features);
        let features = features.map(|name| feature(name)).collect::<Result<_>>()?;
        let output = output(&model, &manifest)?;
        Ok(Scorer { model, features, output })
    }

    fn score(&self, payments: &[Payment]) -> Result<Vec<f32>> {
        let data: Vec<f32> = payments
            .iter()
            .flat_map(|payment| self.features.iter().map(|feature| number(feature(payment))))
            .collect();
        let input = Tensor::f32([payments.len(), self.features.len()], data);
        let outputs = self.model.run(&[input.view()]).map_err(Error::from)?;
        let (output, element) = self.output;
        match outputs.get(output).map(|tensor| &tensor.data) {
            Some(Data::F32(data)) => {
                let elements = data.len() / payments.len().max(1);
                Ok(data.chunks(elements.max(1)).filter_map(|row| row.get(element).copied()).collect())
            }
            _ => Err(Error::internal("the payments model gives no f32 probabilities")),
        }
    }
}

fn feature(name: &str) -> Result<fn(&Payment) -> Scalar<'_>> {
    let column = COLUMNS.iter().find(|column| column.name == name);
    let column = column.ok_or_else(|| Error::internal(format!("a payment has no column `{name}`")))?;
    Ok(column.value)
}

fn output(model: &Model, manifest: &Manifest) -> Result<(usize, usize)> {
    let (name, element) = bundle::OUTPUT;
    let found = model.outputs().iter().position(|port| port.name == name);
    let labels = manifest.outputs.iter().find(|output| output.name == name).map(|output| &output.labels);
    let element = labels.and_then(|labels| labels.iter().position(|label| label == element));
    found.zip(element).ok_or_else(|| Error::internal(format!("the payments model has no output `{name}`")))
}

/// As numpy's `astype(float32)`.
fn number(value: Scalar<'_>) -> f32 {
    match value {
        Scalar::Bool(flag) => f32::from(flag),
        Scalar::I32(number) => number as f32,
        Scalar::I64(number) => number as f32,
        Scalar::F32(number) => number,
        Scalar::F64(number) => number as f32,
        _ => f32::NAN,
    }
}
