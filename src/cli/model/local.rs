//! A model on this machine, loaded to be run here.

use std::path::{Path, PathBuf};

use crate::{
    catalog::Manifest,
    cli::{context::read_text, model::package::bare_model},
    model::{self, Backend, Format, Limits, Model, Options, golden},
    scoring::format_of,
    types::{Error, Result},
};

/// A model's file, with what stands beside it.
pub(super) struct ModelFile {
    pub(super) path: PathBuf,
    pub(super) format: Format,
    pub(super) bytes: Vec<u8>,
    /// The manifest, if there is one and it is of this file.
    manifest: Option<Manifest>,
    /// Where it lies.
    folder: PathBuf,
}

impl ModelFile {
    /// Reads a model file, or the one of a version folder.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
        let manifest = manifest(folder)?;
        let (path, manifest) = if path.is_dir() {
            let file = match &manifest {
                Some(manifest) => folder.join(&manifest.file),
                None => bare_model(folder).unwrap_or_else(|| folder.join(Format::Onnx.files()[0])),
            };
            (file, manifest)
        } else {
            let is_of = |manifest: &Manifest| path.ends_with(&manifest.file);
            (path.to_owned(), manifest.filter(is_of))
        };
        let bytes = golden::read_file(&path, Limits::default().bytes)?;
        let format = match &manifest {
            Some(manifest) => format_of(manifest.kind),
            None => Format::of(&path),
        };
        Ok(ModelFile { path, format, bytes, manifest, folder: folder.to_owned() })
    }

    /// The error, said of this file.
    pub(super) fn fault(&self, error: model::Error) -> Error {
        Error::from(error).within(self.path.display())
    }
}

/// A model that is loaded, with what stands beside it.
pub(super) struct Local {
    pub(super) model: Model,
    /// Its manifest, if there is one and it is of this file.
    pub(super) manifest: Option<Manifest>,
    /// Where it lies.
    pub(super) folder: PathBuf,
}

impl Local {
    /// Loads a model file, or the one of a version folder.
    pub(super) fn load(path: &Path, backend: Backend) -> Result<Self> {
        let file = ModelFile::read(path)?;
        let options = Options { backend, ..Options::default() };
        let model = Model::load(&file.bytes, file.format, &options).map_err(|error| file.fault(error))?;
        Ok(Local::of(file, model))
    }

    /// The model that this file was loaded as.
    pub(super) fn of(file: ModelFile, model: Model) -> Self {
        Local { model, manifest: file.manifest, folder: file.folder }
    }
}

fn manifest(folder: &Path) -> Result<Option<Manifest>> {
    let path = folder.join("manifest.toml");
    if !path.exists() {
        return Ok(None);
    }
    let text = read_text(&path)?;
    Manifest::parse(&path.display().to_string(), &text).map(Some)
}
