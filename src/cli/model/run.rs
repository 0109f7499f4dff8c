//! `embergrid model run`

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use super::{
    input::{self, Batch},
    local::Local,
};
use crate::{
    cli::{context::Context, failure::Result},
    model::{Backend, Data, Tensor, TensorView},
    row::{Scalar, scalar_to_json},
    types::Error,
};

/// Score a file's rows with a model file, here and now, without a cluster.
///
/// Columns are matched with the manifest's features by name. Without a manifest, inputs that are named scalars are
/// matched by name, and one matrix takes the columns in their order.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  embergrid model run models/breast-cancer/1 --input models/breast-cancer/data.csv"
)]
pub(super) struct Run {
    /// A model file or version folder.
    file: PathBuf,
    /// The rows: `.csv` with a header, `.jsonl` or `.npy`.
    #[arg(long, value_name = "ROWS")]
    input: PathBuf,
    /// The tensor backend: flex, ndarray; with the feature `gpu` also wgpu.
    #[arg(long, default_value_t)]
    backend: Backend,
}

impl Run {
    pub(super) fn run(self, context: &Context) -> Result {
        let local = Local::load(&self.file, self.backend)?;
        let mut row = 0_u64;
        for batch in input::read(&self.input, &local)? {
            let Batch { rows, inputs } = batch?;
            let views: Vec<TensorView<'_>> = inputs.iter().map(Tensor::view).collect();
            let outputs = local.model.run(&views).map_err(Error::from)?;
            for at in 0..rows {
                let values = local.model.outputs().iter().zip(&outputs);
                let values: Map<String, Value> =
                    values.map(|(port, tensor)| (port.name.clone(), element(tensor, at, rows))).collect();
                let text = values.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>();
                context.output.answer(
                    &json!({ "row": row, "outputs": values }),
                    format_args!("{row}: {}", text.join(", ")),
                )?;
                row += 1;
            }
        }
        Ok(())
    }
}

/// One row's part of an output: a number, or an array where the output has more dimensions than the batch.
fn element(tensor: &Tensor, row: usize, rows: usize) -> Value {
    let width = tensor.data.len() / rows.max(1);
    let mut elements = (row * width..(row + 1) * width).map(|at| value(&tensor.data, at));
    match tensor.shape.len() {
        0 | 1 => elements.next().unwrap_or_default(),
        _ => elements.collect(),
    }
}

fn value(data: &Data, at: usize) -> Value {
    match data {
        Data::F32(data) => data.get(at).map(|number| scalar_to_json(Scalar::F32(*number))),
        Data::F64(data) => data.get(at).map(|number| scalar_to_json(Scalar::F64(*number))),
        Data::I64(data) => data.get(at).map(|number| (*number).into()),
        Data::F16(data) => data.get(at).map(|number| scalar_to_json(Scalar::F32(number.to_f32()))),
        Data::I32(data) => data.get(at).map(|number| (*number).into()),
        Data::I16(data) => data.get(at).map(|number| (*number).into()),
        Data::U64(data) => data.get(at).map(|number| (*number).into()),
        Data::U32(data) => data.get(at).map(|number| (*number).into()),
        Data::U16(data) => data.get(at).map(|number| (*number).into()),
        Data::I8(data) => data.get(at).map(|number| (*number).into()),
        Data::U8(data) => data.get(at).map(|number| (*number).into()),
        Data::Bool(data) => data.get(at).map(|flag| (*flag).into()),
        Data::Str(data) => data.get(at).map(|text| text.as_str().into()),
    }
    .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_keeps_the_shape_of_its_output() {
        let matrix = Tensor::f32([2, 2], vec![0.25, 0.75, 1.0, f32::NAN]);
        assert_eq!(element(&matrix, 0, 2), json!([0.25, 0.75]));
        assert_eq!(element(&matrix, 1, 2), json!([1.0, "NaN"]));
        assert_eq!(element(&Tensor::i64([2], vec![7, 8]), 1, 2), json!(8));
    }
}
