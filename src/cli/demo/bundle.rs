//! What the demo deploys, inside the binary: the payments model, its map and its binding.

use bytes::Bytes;

use crate::{
    catalog::Manifest,
    client::{Client, Deployment, Map},
    types::Result,
};

/// A file of the version folder, by its path within it.
macro_rules! version_file {
    ($path:literal) => {
        ($path, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/payments/1/", $path)))
    };
}

const MANIFEST: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/payments/1/manifest.toml"));
const SCHEMA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/cluster/payments.schema.toml"));
const BINDING: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/cluster/payments.binding.toml"));
const MODEL: (&str, &[u8]) = version_file!("model.onnx");
const SAMPLES: [(&str, &[u8]); 3] = [
    version_file!("test_data_set_0/input_0.pb"),
    version_file!("test_data_set_0/output_0.pb"),
    version_file!("test_data_set_0/output_1.pb"),
];

/// The map that payments go to.
pub(super) const MAP: &str = "payments";
/// The score column that the binding fills.
pub(super) const SCORE: &str = "fraud";
/// The output of the model, and its element, that the score is.
pub(super) const OUTPUT: (&str, &str) = ("probabilities", "fraud");

/// The model's file.
pub(super) fn model() -> &'static [u8] {
    MODEL.1
}

/// The model's manifest.
pub(super) fn manifest() -> Result<Manifest> {
    Manifest::parse("models/payments/1/manifest.toml", MANIFEST)
}

/// Deploys the model, creates the map and binds the two.
pub(super) async fn deploy(client: &Client) -> Result<Map> {
    let file = |(path, bytes): (&str, &'static [u8])| (path.to_owned(), Bytes::from_static(bytes));
    let deployment = Deployment {
        name: "payments".to_owned(),
        version: None,
        alias: Some("champion".to_owned()),
        manifest: Some(MANIFEST.to_owned()),
        model_file: MODEL.0.to_owned(),
        files: [MODEL].into_iter().chain(SAMPLES).map(file).collect(),
    };
    client.deploy(deployment).await?;
    client.create_map(MAP, Some(SCHEMA)).await?;
    client.apply_binding(BINDING).await?;
    client.map(MAP).await
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_golden_sample_is_in_the_binary() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/payments/1");
        for dir in manifest().expect("a manifest").golden.expect("golden samples").dirs {
            for entry in fs::read_dir(folder.join(&dir)).expect("a folder") {
                let path = format!("{dir}/{}", entry.expect("an entry").file_name().to_string_lossy());
                assert!(SAMPLES.iter().any(|(name, _)| *name == path), "{path}");
            }
        }
    }
}
