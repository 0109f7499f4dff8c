//! What the catalogue is told of a model: its inputs with the features that fill them, its outputs with the names
//! of their elements. From the graph's ports, the manifest and one trial run.

use crate::{
    catalog::{InputSignature, Manifest, NullPolicy, NumberKind, OutputKind, OutputSignature},
    model::{DType, Data, Dim, Model, Port, Tensor, TensorView},
    types::{Error, Result, nearest},
};

/// The signature of one loaded model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// In the model's order.
    pub inputs: Vec<InputSignature>,
    /// In the model's order.
    pub outputs: Vec<OutputSignature>,
}

impl Signature {
    /// The signature of `model` as `manifest` names its parts. Without a manifest every input must be a named
    /// scalar: it is then its own feature.
    pub fn of(model: &Model, manifest: Option<&Manifest>) -> Result<Signature> {
        if let Some(manifest) = manifest {
            check_names(model, manifest)?;
        }
        let inputs = model
            .inputs()
            .iter()
            .map(|port| input(port, manifest))
            .collect::<Result<Vec<InputSignature>>>()?;
        let trial = try_row(model, &inputs)?;
        let outputs = model.outputs().iter().zip(&trial).map(|(port, tensor)| output(port, tensor, manifest));
        Ok(Signature { outputs: outputs.collect::<Result<_>>()?, inputs })
    }
}

/// Every input and output that the manifest names is one of the graph's.
fn check_names(model: &Model, manifest: &Manifest) -> Result<()> {
    let check = |what: &str, name: &str, ports: &[Port]| {
        if ports.iter().any(|port| port.name == name) {
            return Ok(());
        }
        let names: Vec<&str> = ports.iter().map(|port| port.name.as_str()).collect();
        let error =
            Error::invalid(format!("the manifest names the {what} `{name}`, which the graph does not have"));
        Err(match nearest(name, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("the graph has {}", names.join(", "))),
        })
    };
    manifest.inputs.iter().try_for_each(|input| check("input", &input.name, model.inputs()))?;
    manifest.outputs.iter().try_for_each(|output| check("output", &output.name, model.outputs()))
}

fn input(port: &Port, manifest: Option<&Manifest>) -> Result<InputSignature> {
    let named = manifest.and_then(|manifest| manifest.inputs.iter().find(|input| input.name == port.name));
    let kind = number_kind(port)?;
    let declared = declared_width(port)?;
    let Some(named) = named else {
        return bare_input(port, kind, declared);
    };
    if named.kind != kind {
        return Err(Error::invalid(format!(
            "input `{}` is {} in the graph and {} in the manifest",
            port.name, kind, named.kind
        ))
        .hint(format!("write type = \"{kind}\" in the manifest")));
    }
    // A vector column fills several elements: then the binding, which knows the columns, checks the width.
    let width = declared.unwrap_or(named.features.len());
    if named.features.is_empty() || named.features.len() > width {
        return Err(Error::invalid(format!(
            "input `{}` of shape {} takes {width} features, the manifest lists {}",
            port.name,
            port.shape_text(),
            named.features.len()
        )));
    }
    Ok(InputSignature {
        name: port.name.clone(),
        kind,
        width,
        features: named.features.clone(),
        null: named.null,
    })
}

/// An input that no manifest describes: a named scalar is its own feature.
fn bare_input(port: &Port, kind: NumberKind, declared: Option<usize>) -> Result<InputSignature> {
    if declared != Some(1) {
        return Err(Error::invalid(format!(
            "nothing says which features fill the input `{}` of shape {}",
            port.name,
            port.shape_text()
        ))
        .hint("add a manifest that lists them in tensor order; `embergrid init` writes one"));
    }
    let features = vec![port.name.clone()];
    Ok(InputSignature { name: port.name.clone(), kind, width: 1, features, null: NullPolicy::Reject })
}

/// Elements a row of an input: what the largest row could fill. A file may claim any number, and memory is taken for it.
const MAX_WIDTH: usize = 1 << 20;

/// Elements a row of the input; none where the graph leaves it open.
fn declared_width(port: &Port) -> Result<Option<usize>> {
    match port.shape.as_slice() {
        [] | [_] => Ok(Some(1)),
        [_, Dim::Fixed(width)] if *width <= MAX_WIDTH => Ok(Some(*width)),
        [_, Dim::Fixed(width)] => Err(Error::invalid(format!(
            "input `{}` takes {width} elements a row, over the limit of {MAX_WIDTH}",
            port.name
        ))),
        [_, _] => Ok(None),
        _ => Err(Error::invalid(format!(
            "input `{}` has shape {}: rows can fill inputs of shape [N] or [N, features]",
            port.name,
            port.shape_text()
        ))),
    }
}

fn number_kind(port: &Port) -> Result<NumberKind> {
    match port.dtype {
        DType::F32 => Ok(NumberKind::F32),
        DType::F64 => Ok(NumberKind::F64),
        DType::I64 => Ok(NumberKind::I64),
        DType::I32 => Ok(NumberKind::I32),
        DType::Bool => Ok(NumberKind::Bool),
        other => Err(Error::invalid(format!("input `{}` has elements of type {other}", port.name))
            .hint("a binding fills inputs of f32, f64, i64, i32 and bool")),
    }
}

/// Runs one row of zeros: what comes back tells the real widths of the outputs, which graphs often declare wrong.
fn try_row(model: &Model, inputs: &[InputSignature]) -> Result<Vec<Tensor>> {
    let zeros: Vec<Tensor> =
        model.inputs().iter().zip(inputs).map(|(port, input)| zeros(port, input, 1)).collect();
    let views: Vec<TensorView<'_>> = zeros.iter().map(Tensor::view).collect();
    Ok(model.run(&views)?)
}

/// `rows` rows of zeros for one input.
pub fn zeros(port: &Port, input: &InputSignature, rows: usize) -> Tensor {
    let shape = if port.shape.len() == 1 { vec![rows] } else { vec![rows, input.width] };
    let len = rows * input.width;
    let data = match input.kind {
        NumberKind::F32 => Data::F32(vec![0.0; len]),
        NumberKind::F64 => Data::F64(vec![0.0; len]),
        NumberKind::I64 => Data::I64(vec![0; len]),
        NumberKind::I32 => Data::I32(vec![0; len]),
        NumberKind::Bool => Data::Bool(vec![false; len]),
    };
    Tensor { shape, data }
}

fn output(port: &Port, trial: &Tensor, manifest: Option<&Manifest>) -> Result<OutputSignature> {
    let width = trial.data.len();
    let named = manifest
        .and_then(|manifest| manifest.outputs.iter().find(|output| output.name == port.name))
        .map(|output| output.labels.clone())
        .filter(|labels| !labels.is_empty());
    if let Some(labels) = &named
        && labels.len() != width
    {
        return Err(Error::invalid(format!(
            "output `{}` has {width} elements a row, the manifest gives {} labels",
            port.name,
            labels.len()
        )));
    }
    let graphs = port.labels.as_ref().map(|labels| labels.names()).filter(|labels| labels.len() == width);
    let elements =
        named.or(graphs).unwrap_or_else(|| (0..width).map(|element| element.to_string()).collect());
    let kind = match trial.data {
        Data::F32(_) | Data::F16(_) => OutputKind::F32,
        Data::F64(_) => OutputKind::F64,
        Data::I64(_) | Data::U32(_) => OutputKind::I64,
        Data::I32(_) | Data::I16(_) | Data::U16(_) | Data::I8(_) | Data::U8(_) => OutputKind::I32,
        Data::U64(_) => {
            return Err(Error::invalid(format!("output `{}` has elements of type u64", port.name))
                .hint("no score column holds them: let the model cast them to int64"));
        }
        Data::Bool(_) => OutputKind::Bool,
        Data::Str(_) => OutputKind::Str,
    };
    Ok(OutputSignature { name: port.name.clone(), kind, elements })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Format, Options};

    #[test]
    fn a_width_that_no_row_has_takes_no_memory() {
        let of = |width: u64| {
            let layers = format!(
                "format = 1\ninput = {{ name = \"x\", width = {width} }}\nlayers = [{{ kind = \"relu\" }}]\n\
                 output = {{ name = \"y\" }}"
            );
            let header = serde_json::json!({ "__metadata__": { "embergrid": layers } }).to_string();
            let file = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
            let model = Model::load(&file, Format::Burn, &Options::default()).expect("it loads");
            Signature::of(&model, None)
        };
        assert_eq!(of(1).expect("one feature").inputs[0].width, 1);
        let error = of(1 << 40).expect_err("it is refused");
        assert_eq!(error.message, "input `x` takes 1099511627776 elements a row, over the limit of 1048576");
    }
}
