//! The formats of model files.

use std::{fmt, path::Path};

use super::xgboost;

/// The format of a model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// ONNX protobuf.
    Onnx,
    /// The weights of a burn module as safetensors, with a description of its layers.
    Burn,
    /// Trees as XGBoost's `save_model` writes them: JSON or UBJSON, told apart by content.
    Xgboost,
    /// Trees as LightGBM's `save_model` writes them: text.
    Lightgbm,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 4] = [Format::Onnx, Format::Burn, Format::Xgboost, Format::Lightgbm];

    /// What a model of this format may be called in a folder of its own.
    pub fn files(self) -> &'static [&'static str] {
        match self {
            Format::Onnx => &["model.onnx"],
            Format::Burn => &["model.safetensors"],
            Format::Xgboost => &["model.json", "model.ubj"],
            Format::Lightgbm => &["model.txt"],
        }
    }

    /// What a model of this format and content is called there.
    pub fn file(self, bytes: &[u8]) -> &'static str {
        match self {
            Format::Xgboost if xgboost::is_ubjson(bytes) => "model.ubj",
            _ => self.files()[0],
        }
    }

    /// The format that a file's name promises: ONNX, unless it says otherwise.
    pub fn of(file: &Path) -> Format {
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("safetensors") => Format::Burn,
            Some("json" | "ubj") => Format::Xgboost,
            Some("txt") => Format::Lightgbm,
            _ => Format::Onnx,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Onnx => "ONNX",
            Format::Burn => "burn",
            Format::Xgboost => "XGBoost",
            Format::Lightgbm => "LightGBM",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_name_says() {
        for format in Format::ALL {
            assert!(format.files().iter().all(|file| Format::of(file.as_ref()) == format));
        }
        assert_eq!(Format::of("a/churn.safetensors".as_ref()), Format::Burn);
        assert_eq!(Format::of("a/churn.ubj".as_ref()), Format::Xgboost);
        assert_eq!(Format::of("model.safetensors/noname".as_ref()), Format::Onnx);
    }

    #[test]
    fn a_file_is_called_by_its_content() {
        assert_eq!(Format::Xgboost.file(b"{L\0"), "model.ubj");
        assert_eq!(Format::Xgboost.file(b"{\"learner\""), "model.json");
        assert!(Format::ALL.iter().all(|format| format.files().contains(&format.file(b""))));
    }
}
