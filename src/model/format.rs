//! The formats of model files.

use std::{fmt, path::Path};

/// The format of a model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// ONNX protobuf.
    Onnx,
    /// The weights of a burn module as safetensors, with a description of its layers.
    Burn,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 2] = [Format::Onnx, Format::Burn];

    /// What a model of this format is called in a folder of its own.
    pub fn file(self) -> &'static str {
        match self {
            Format::Onnx => "model.onnx",
            Format::Burn => "model.safetensors",
        }
    }

    /// The format that a file's name promises: ONNX, unless it says otherwise.
    pub fn of(file: &Path) -> Format {
        match file.extension() {
            Some(extension) if extension == "safetensors" => Format::Burn,
            _ => Format::Onnx,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Onnx => "ONNX",
            Format::Burn => "burn",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_name_says() {
        for format in Format::ALL {
            assert_eq!(Format::of(format.file().as_ref()), format);
        }
        assert_eq!(Format::of("a/churn.safetensors".as_ref()), Format::Burn);
        assert_eq!(Format::of("model.safetensors/noname".as_ref()), Format::Onnx);
    }
}
