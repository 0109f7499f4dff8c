//! The bytes of models, by digest.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

use super::folder::{TEMPORARY, create, write_whole};
use crate::types::{Digest, Error, Result};

const MODELS: &str = "models";

/// The bytes of models, by digest: in the data folder, or in memory. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs(Arc<Place>);

#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    Memory(Mutex<BTreeMap<Digest, Bytes>>),
}

impl Blobs {
    pub(super) fn in_memory() -> Self {
        Blobs(Arc::new(Place::Memory(Mutex::default())))
    }

    pub(super) fn in_folder(folder: &Path) -> Result<Self> {
        let path = folder.join(MODELS);
        create(&path).map_err(|error| failed(&path, &error))?;
        Ok(Blobs(Arc::new(Place::Folder(path))))
    }

    /// Keeps `bytes`; on return they are on disk. What is there already is not written again.
    pub async fn put(&self, bytes: Bytes) -> Result<Digest> {
        self.blocking(move |place| {
            let digest = Digest::of(&bytes);
            match place {
                Place::Memory(blobs) => {
                    blobs.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, bytes);
                }
                Place::Folder(folder) => {
                    let name = digest.to_string();
                    // What is damaged is not there.
                    if !matches!(read_file(&folder.join(&name), digest), Ok(Some(_))) {
                        write_whole(folder, &name, &bytes).map_err(|error| failed(folder, &error))?;
                    }
                }
            }
            Ok(digest)
        })
        .await
    }

    /// The bytes of this digest, if they are here.
    pub async fn read(&self, digest: Digest) -> Result<Option<Bytes>> {
        self.blocking(move |place| match place {
            Place::Memory(blobs) => {
                Ok(blobs.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned())
            }
            Place::Folder(folder) => read_file(&folder.join(digest.to_string()), digest),
        })
        .await
    }

    /// Removes all but these, and what a crash left half written.
    pub(super) async fn keep(&self, wanted: BTreeSet<Digest>) -> Result<()> {
        self.blocking(move |place| match place {
            Place::Memory(blobs) => {
                let mut blobs = blobs.lock().unwrap_or_else(PoisonError::into_inner);
                blobs.retain(|digest, _| wanted.contains(digest));
                Ok(())
            }
            Place::Folder(folder) => {
                let wanted: BTreeSet<String> = wanted.iter().map(Digest::to_string).collect();
                sweep(folder, &wanted).map_err(|error| failed(folder, &error))
            }
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Place) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let place = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&place)).await;
        done.unwrap_or_else(|_| Err(Error::unavailable("the node is ending")))
    }
}

fn read_file(path: &Path, digest: Digest) -> Result<Option<Bytes>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, &error)),
    };
    if Digest::of(&bytes) != digest {
        return Err(Error::internal(format!("the model file `{}` is damaged", path.display()))
            .hint("deploy the model again"));
    }
    Ok(Some(bytes.into()))
}

fn sweep(folder: &Path, wanted: &BTreeSet<String>) -> io::Result<()> {
    for item in fs::read_dir(folder)? {
        let item = item?;
        let name = item.file_name();
        let name = name.to_string_lossy();
        let ours = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if name.ends_with(TEMPORARY) || (ours && !wanted.contains(&*name)) {
            fs::remove_file(item.path())?;
        }
    }
    Ok(())
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::internal(format!("the model folder `{}`: {error}", path.display()))
}
