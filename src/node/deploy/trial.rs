//! What a model has to pass on every node before the cluster is told of it.

use bytes::Bytes;

use super::Package;
use crate::{
    catalog::{InputSignature, Manifest, ModelVersion},
    model::{
        self, Format, Model, Tensor, TensorView,
        golden::{Sample, Tolerance, verify},
    },
    node::Clock,
    scoring::{Loaded, Signature, format_of, kind_of, zeros},
    types::{Digest, Error, Result},
};

/// A model that passed every check.
pub(super) struct Prepared {
    pub(super) version: ModelVersion,
    pub(super) loaded: Loaded,
    pub(super) bytes: Bytes,
}

/// Rows of the batches that a new model is warmed up and measured with.
const TRIAL_ROWS: usize = 8;
/// Runs before the measure.
const WARM_UPS: usize = 3;
/// Runs whose median is the measure.
const TRIALS: usize = 5;

/// Loads and tries the package's model. Takes long: not for a thread that serves.
pub(super) fn prepare(
    package: &Package,
    next_version: u32,
    options: &model::Options,
    clock: Clock,
) -> Result<Prepared> {
    let manifest = match &package.manifest {
        Some(text) => Some(Manifest::parse("manifest.toml", text)?),
        None => None,
    };
    let number = agree(package, manifest.as_ref(), next_version)?;
    let file = manifest.as_ref().map_or(package.model_file.as_str(), |manifest| manifest.file.as_str());
    let bytes = package
        .files
        .get(file)
        .ok_or_else(|| Error::invalid(format!("the upload lacks the model file `{file}`")))?
        .clone();
    let kind = manifest.as_ref().map_or(kind_of(Format::of(file.as_ref())), |manifest| manifest.kind);
    let place = |error: Error| error.within(file);
    let model = Model::load(&bytes, format_of(kind), options).map_err(Error::from).map_err(place)?;
    let signature = Signature::of(&model, manifest.as_ref()).map_err(place)?;
    reproduce(&model, manifest.as_ref(), package, options)?;
    let row_cost_ns = try_out(&model, &signature.inputs, clock).map_err(place)?;
    let version = ModelVersion {
        name: package.name.clone(),
        version: number,
        digest: Digest::of(&bytes),
        kind,
        bytes: bytes.len() as u64,
        inputs: signature.inputs,
        outputs: signature.outputs,
    };
    Ok(Prepared { version, loaded: Loaded::new(model, row_cost_ns), bytes })
}

/// The version's number, after what the command line and the manifest say was compared.
fn agree(package: &Package, manifest: Option<&Manifest>, next_version: u32) -> Result<u32> {
    let Some(manifest) = manifest else { return Ok(package.version.unwrap_or(next_version)) };
    if manifest.name != package.name {
        return Err(Error::invalid(format!(
            "manifest.toml is of the model `{}`, not of `{}`",
            manifest.name, package.name
        ))
        .hint("deploy it under its own name, or change the manifest"));
    }
    match package.version {
        Some(version) if version != manifest.version => {
            Err(Error::invalid(format!("manifest.toml is of version {}, not {version}", manifest.version))
                .hint("leave --version out, or change the manifest"))
        }
        _ => Ok(manifest.version),
    }
}

/// Runs the golden samples that came with the model.
fn reproduce(
    model: &Model,
    manifest: Option<&Manifest>,
    package: &Package,
    options: &model::Options,
) -> Result<()> {
    let Some(golden) = manifest.and_then(|manifest| manifest.golden.as_ref()) else { return Ok(()) };
    let tolerance = Tolerance { rtol: golden.rtol, atol: golden.atol };
    for dir in &golden.dirs {
        let inputs = numbered(package, dir, "input_");
        if inputs.is_empty() {
            return Err(Error::invalid(format!("the upload lacks the golden samples `{dir}`"))
                .hint("upload the whole folder, or remove [golden] from the manifest"));
        }
        let outputs = numbered(package, dir, "output_");
        let sample = Sample::decode(dir.clone(), &inputs, &outputs, model, &options.limits)?;
        if let (_, Some(difference)) = verify(model, &sample, tolerance)? {
            return Err(Error::invalid(format!("the golden samples disagree: {difference}"))
                .hint("nothing was deployed; check that model and samples are of the same training"));
        }
    }
    Ok(())
}

/// The files `prefix0.pb`, `prefix1.pb`, .. of a folder, by number.
fn numbered(package: &Package, dir: &str, prefix: &str) -> Vec<(String, Vec<u8>)> {
    let file = |number: usize| {
        let name = format!("{prefix}{number}.pb");
        let content = package.files.get(&format!("{}/{name}", dir.trim_end_matches('/')))?;
        Some((name, content.to_vec()))
    };
    (0..).map_while(file).collect()
}

/// Warms the model up and measures what a row costs, in nanoseconds.
fn try_out(model: &Model, inputs: &[InputSignature], clock: Clock) -> Result<u64> {
    let rows: Vec<Tensor> =
        model.inputs().iter().zip(inputs).map(|(port, input)| zeros(port, input, TRIAL_ROWS)).collect();
    let views: Vec<TensorView<'_>> = rows.iter().map(Tensor::view).collect();
    for _ in 0..WARM_UPS {
        model.run(&views)?;
    }
    let mut elapsed_us = Vec::with_capacity(TRIALS);
    for _ in 0..TRIALS {
        let start = clock.mono_us();
        model.run(&views)?;
        elapsed_us.push(clock.mono_us() - start);
    }
    elapsed_us.sort_unstable();
    let median = elapsed_us.get(TRIALS / 2).copied().unwrap_or_default();
    Ok((median * 1_000 / TRIAL_ROWS as u64).max(1))
}
