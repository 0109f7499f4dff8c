//! What both programs write: a module's weights with a description of its layers, and golden samples.

use std::{fs, path::Path};

use burn::{
    store::{ModuleSnapshot, SafetensorsStore},
    tensor::{Tensor, TensorData},
};

/// Whatever goes wrong ends the program with its message.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The key of the metadata under which Embergrid looks for the description of the layers.
pub const DESCRIPTION: &str = "embergrid";

/// Saves a module's weights, with the description of the layers that they belong to.
pub fn save(module: &impl ModuleSnapshot, store: SafetensorsStore, description: &str) -> Result<()> {
    module.save_into(&mut store.overwrite(true).metadata(DESCRIPTION, description))?;
    Ok(())
}

/// Writes `folder/input_0.pb` and `folder/output_0.pb`: what burn itself says about a few rows.
pub fn write_golden(folder: &Path, input: (&str, Tensor<2>), output: (&str, Tensor<2>)) -> Result<()> {
    fs::create_dir_all(folder)?;
    for (kind, (name, tensor)) in [("input", input), ("output", output)] {
        fs::write(folder.join(format!("{kind}_0.pb")), tensor_proto(name, tensor.into_data())?)?;
    }
    Ok(())
}

/// A `TensorProto` of ONNX, as far as it is needed: dims = 1, data_type = 2, name = 8, raw_data = 9.
fn tensor_proto(name: &str, data: TensorData) -> Result<Vec<u8>> {
    const VARINT: u8 = 0;
    const BYTES: u8 = 2;
    const FLOAT: u64 = 1;
    let mut proto = Vec::new();
    for &size in data.shape().iter() {
        proto.push(1 << 3 | VARINT);
        varint(&mut proto, size as u64);
    }
    proto.push(2 << 3 | VARINT);
    varint(&mut proto, FLOAT);
    let raw: Vec<u8> = data.try_to_vec::<f32>()?.iter().flat_map(|value| value.to_le_bytes()).collect();
    for (field, bytes) in [(8, name.as_bytes()), (9, &raw)] {
        proto.push(field << 3 | BYTES);
        varint(&mut proto, bytes.len() as u64);
        proto.extend(bytes);
    }
    Ok(proto)
}

fn varint(proto: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        proto.push(value as u8 | 0x80);
        value >>= 7;
    }
    proto.push(value as u8);
}
