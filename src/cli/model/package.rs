//! A model version on disk, read for the upload.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;

use crate::{
    catalog::Manifest,
    cli::{context::read_text, rows::unreadable},
    client::Deployment,
    model::Format,
    types::{Error, Result},
};

/// The manifest's name within a version's folder.
const MANIFEST: &str = "manifest.toml";

/// Reads a version folder, or a bare model file. The model's name and version stay to be filled in.
pub(super) fn read(path: &Path) -> Result<Deployment> {
    if !path.is_dir() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Ok(bare(name, read_bytes(path)?));
    }
    let manifest_path = path.join(MANIFEST);
    if !manifest_path.exists() {
        let Some(model) = bare_model(path) else {
            return Err(Error::not_found(format!("{}: no {MANIFEST} and no model in it", path.display()))
                .hint("name a version's folder, as in `models/breast-cancer/1`, or a model file"));
        };
        return read(&model);
    }
    let text = read_text(&manifest_path)?;
    let manifest = Manifest::parse(&manifest_path.display().to_string(), &text)?;
    let mut files = vec![(manifest.file.clone(), read_bytes(&path.join(&manifest.file))?)];
    for dir in manifest.golden.iter().flat_map(|golden| &golden.dirs) {
        read_samples(path, dir, &mut files)?;
    }
    Ok(Deployment { manifest: Some(text), model_file: manifest.file, files, ..Deployment::default() })
}

/// The model in a folder without a manifest: the file that is called so.
pub(super) fn bare_model(folder: &Path) -> Option<PathBuf> {
    let files = Format::ALL.into_iter().flat_map(Format::files);
    files.map(|file| folder.join(file)).find(|file| file.exists())
}

fn bare(name: String, bytes: Bytes) -> Deployment {
    Deployment { model_file: name.clone(), files: vec![(name, bytes)], ..Deployment::default() }
}

/// Adds the files of a folder of golden samples, in the order of their names.
fn read_samples(folder: &Path, dir: &str, files: &mut Vec<(String, Bytes)>) -> Result<()> {
    let path = folder.join(dir);
    let entries = fs::read_dir(&path).map_err(|error| unreadable(&path, &error))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(&path, &error))?;
        if entry.path().is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    for name in names {
        files.push((format!("{dir}/{name}"), read_bytes(&path.join(&name))?));
    }
    Ok(())
}

fn read_bytes(path: &Path) -> Result<Bytes> {
    fs::read(path).map(Bytes::from).map_err(|error| unreadable(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_folder_brings_its_model_and_samples() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/breast-cancer/1");
        let deployment = read(&folder).expect("a version folder");
        let names: Vec<&str> = deployment.files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(deployment.model_file, "model.onnx");
        assert_eq!(names[..2], ["model.onnx", "test_data_set_0/input_0.pb"]);
        assert!(deployment.manifest.is_some());
    }

    #[test]
    fn a_bare_file_needs_no_manifest() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/breast-cancer/1/model.onnx");
        let deployment = read(&file).expect("a model file");
        assert_eq!((deployment.model_file.as_str(), deployment.manifest), ("model.onnx", None));
    }

    #[test]
    fn what_is_no_model_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let refused = |path: &Path| read(path).expect_err("no model").message.into_owned();
        assert!(refused(folder.path()).ends_with("no manifest.toml and no model in it"));
        assert!(refused(&folder.path().join("absent.onnx")).ends_with("absent.onnx: no such file"));
    }
}
