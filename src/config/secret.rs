//! The cluster's secret, from the environment.

use std::{ffi::OsStr, fs, path::Path};

use super::environment::Environment;
use crate::types::{Error, Result};

const SECRET: &str = "EMBERGRID_CLUSTER_SECRET";
const FILE: &str = "EMBERGRID_CLUSTER_SECRET_FILE";

/// Below this a secret can be guessed.
const LEAST_BYTES: usize = 16;
const MOST_BYTES: usize = 4096;

/// What every node of a cluster knows and nobody else; none if none is set.
pub(super) fn read(environment: &Environment) -> Result<Option<Vec<u8>>> {
    let value = |name: &str| {
        let found = environment.iter().find(|(present, _)| present == OsStr::new(name));
        found.map(|(_, value)| value).filter(|value| !value.is_empty())
    };
    let secret = match (value(SECRET), value(FILE)) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(Error::invalid(format!("both {SECRET} and {FILE} are set")).hint("set one of them"));
        }
        (Some(secret), None) => secret.as_encoded_bytes().to_vec(),
        (None, Some(path)) => read_file(Path::new(path))?,
    };
    let secret = secret.trim_ascii();
    if !(LEAST_BYTES..=MOST_BYTES).contains(&secret.len()) {
        return Err(Error::invalid(format!("the cluster secret has {} bytes", secret.len()))
            .hint(format!("it has {LEAST_BYTES} to {MOST_BYTES}; `openssl rand -hex 32` makes a good one")));
    }
    Ok(Some(secret.to_vec()))
}

fn read_file(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| {
        Error::invalid(format!("the file `{}` of {FILE} cannot be read: {error}", path.display()))
    })
}
