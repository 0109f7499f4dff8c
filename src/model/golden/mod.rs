//! Golden samples: inputs and expected outputs beside a model, in ONNX's own test layout.
//!
//! `model.onnx` (or what [`Format::files`](super::Format::files) names), and for each sample a folder `test_data_set_*` with `input_*.pb` and `output_*.pb`.

mod compare;
mod verify;

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use prost::Message;

use super::{
    Data, Error, Labels, Limits, Model, Port, Tensor,
    onnx::{
        proto::{MapProto, SequenceProto, TensorProto},
        tensor,
    },
};
use crate::types;

pub use compare::{Mismatch, Tolerance, compare};
pub use verify::{Case, Report, Verdict, verify, verify_dirs};

/// One sample: tensors in the order of the model's ports.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The folder it was read from.
    pub name: String,
    /// What the model is given.
    pub inputs: Vec<Tensor>,
    /// What it is to give.
    pub outputs: Vec<Tensor>,
}

/// Reads a file of at most `limit` bytes.
pub fn read_file(path: &Path, limit: usize) -> types::Result<Vec<u8>> {
    let fail = |error: std::io::Error| types::Error::invalid(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(fail)?;
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() > limit {
        return Err(types::Error::invalid(format!("{} is longer than {limit} bytes", path.display())));
    }
    Ok(bytes)
}

/// The folders `test_data_set_*` in a folder, in order of their numbers.
pub fn sample_dirs(dir: &Path) -> types::Result<Vec<PathBuf>> {
    numbered(dir, "test_data_set_", "")
}

/// What is named `prefix`, a number and `suffix`, in order of the number.
fn numbered(dir: &Path, prefix: &str, suffix: &str) -> types::Result<Vec<PathBuf>> {
    let fail = |error: std::io::Error| types::Error::invalid(format!("{}: {error}", dir.display()));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix));
        if let Some(number) = number.and_then(|number| number.parse::<u32>().ok()) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

impl Sample {
    /// Reads the sample in a folder, for a model with these ports.
    pub fn read(dir: &Path, model: &Model, limits: &Limits) -> types::Result<Sample> {
        let files = |prefix| -> types::Result<Vec<(String, Vec<u8>)>> {
            let read = |path: PathBuf| {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Ok((name, read_file(&path, limits.bytes)?))
            };
            numbered(dir, prefix, ".pb")?.into_iter().map(read).collect()
        };
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Sample::decode(name, &files("input_")?, &files("output_")?, model, limits)
    }

    /// Decodes a sample from the bytes of its files, each with its name, in order.
    pub fn decode(
        name: String,
        inputs: &[(String, Vec<u8>)],
        outputs: &[(String, Vec<u8>)],
        model: &Model,
        limits: &Limits,
    ) -> types::Result<Sample> {
        let read = |files: &[(String, Vec<u8>)], ports: &[Port], what: &str| {
            if files.len() != ports.len() {
                let reason = format!("{name} has {} {what} files for {} {what}s", files.len(), ports.len());
                return Err(
                    types::Error::invalid(reason).hint("the files are numbered from 0 in the model's order")
                );
            }
            let one = |((file, bytes), port): (&(String, Vec<u8>), &Port)| value(bytes, port, limits, file);
            files.iter().zip(ports).map(one).collect::<Result<Vec<_>, Error>>().map_err(types::Error::from)
        };
        Ok(Sample {
            inputs: read(inputs, model.inputs(), "input")?,
            outputs: read(outputs, model.outputs(), "output")?,
            name: name.clone(),
        })
    }
}

/// The number by which a `SequenceProto` says that it holds maps.
const MAPS: i32 = 4;

/// A tensor, or the maps of a ZipMap as the matrix that they were made of.
fn value(bytes: &[u8], port: &Port, limits: &Limits, file: &str) -> Result<Tensor, Error> {
    if let Some(labels) = &port.labels
        && let Ok(sequence) = SequenceProto::decode(bytes)
        && (sequence.elem_type == MAPS || !sequence.map_values.is_empty())
    {
        return matrix(&sequence.map_values, labels, limits, file);
    }
    let proto = TensorProto::decode(bytes).map_err(|error| Error::invalid(file, error.to_string()))?;
    tensor(&proto, file, limits)
}

fn matrix(maps: &[MapProto], labels: &Labels, limits: &Limits, file: &str) -> Result<Tensor, Error> {
    let mut data = Vec::with_capacity(maps.len() * labels.len());
    for (row, map) in maps.iter().enumerate() {
        let place = format!("{file}, row {row}");
        let values = values(map, &place, limits)?;
        for label in labels.names() {
            let found = match labels {
                Labels::Ints(_) => map.keys.iter().position(|key| key.to_string() == label),
                Labels::Strings(_) => map.string_keys.iter().position(|key| *key == label.as_bytes()),
            };
            let Some(value) = found.and_then(|found| values.get(found)) else {
                return Err(Error::invalid(place, format!("it has no class `{label}`")));
            };
            data.push(*value);
        }
    }
    Ok(Tensor::f32([maps.len(), labels.len()], data))
}

/// A map's values: of one tensor each, or all in one.
fn values(map: &MapProto, place: &str, limits: &Limits) -> Result<Vec<f32>, Error> {
    let tensors = map.values.as_ref().map_or(&[][..], |values| &values.tensor_values);
    let mut all = Vec::with_capacity(tensors.len());
    for proto in tensors {
        match tensor(proto, place, limits)?.data {
            Data::F32(values) => all.extend(values),
            other => return Err(Error::invalid(place, format!("its values are {}", other.dtype()))),
        }
    }
    Ok(all)
}
